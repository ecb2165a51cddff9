import { createRequire } from "node:module";
import { maskOf, users } from "../workload.mjs";

const require = createRequire(import.meta.url);

/**
 * CASL as its documentation advises for a server: one ability a user, built once and kept. The time to build them is
 * counted as loading.
 */
export async function casl(_directory, policies) {
  const { AbilityBuilder, createMongoAbility, subject } = require("@casl/ability");
  const started = performance.now();
  const abilities = new Map(users.map((user) => [user.id, abilityOf(user, policies)]));
  const loadMs = performance.now() - started;

  function abilityOf(user, kinds) {
    const { can, build } = new AbilityBuilder(createMongoAbility);
    const { id: ownerId, orgId } = user;
    for (let number = 0; number < kinds; number++) {
      const kind = `document_${number}`;
      can("view", kind, { orgId });
      if (user.role === "admin") {
        can("edit", kind, { orgId, status: { $ne: "archived" } });
        can("delete", kind, { orgId, status: "draft" });
      } else {
        can("edit", kind, { orgId, ownerId, status: { $ne: "archived" } });
      }
    }
    return build();
  }

  const one = (user, row) => {
    const ability = abilities.get(user.id);
    const tagged = subject(row.kind, row);
    return maskOf((action) => ability.can(action, tagged));
  };
  return {
    name: "CASL, ability cached per user",
    mode: "sync",
    loadMs,
    one,
    many: (user, rows) => rows.map((row) => one(user, row)),
    close: async () => {},
  };
}
