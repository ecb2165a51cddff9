/** The public types, from the TypeScript in `js/`. */
export * from "./dist/index.js";
