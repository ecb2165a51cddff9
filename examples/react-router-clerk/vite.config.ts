import { reactRouter } from "@react-router/dev/vite";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [reactRouter()],
  // The style sheet that the examples share is outside of this folder.
  server: { fs: { allow: [".."] } },
});
