import { decideByHand } from "../workload.mjs";

/** The floor: the same decisions as an `if` in the application. */
export async function byHand() {
  return {
    name: "hand-written JavaScript",
    mode: "sync",
    one: decideByHand,
    many: (user, rows) => rows.map((row) => decideByHand(user, row)),
    close: async () => {},
  };
}
