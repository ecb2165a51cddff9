/** Policies for the behaviour tests: small enough to be read beside an assertion. */

const policy = (body) => JSON.stringify({ apiVersion: "api.cerbos.dev/v1", ...body });
const when = (expr) => ({ match: { expr } });

/** Files for `fromFiles`, or to be written to a directory. */
export const POLICIES = {
  "document.yaml": `
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  importDerivedRoles: [relations]
  rules:
    - actions: [view]
      effect: EFFECT_ALLOW
      roles: [user]
    - actions: [edit]
      effect: EFFECT_ALLOW
      derivedRoles: [owner]
      name: edit-own
      output:
        when:
          ruleActivated: '{"by": P.id, "amount": R.attr.amount}'
          conditionNotMet: '"never"'
    - actions: ["admin:*"]
      effect: EFFECT_ALLOW
      roles: ["org:admin"]
    - actions: [edit]
      effect: EFFECT_DENY
      roles: ["*"]
      condition:
        match:
          expr: R.attr.locked
`,
  "relations.json": policy({
    derivedRoles: {
      name: "relations",
      definitions: [{ name: "owner", parentRoles: ["user"], condition: when("R.attr.owner == P.id") }],
    },
  }),
  "clock.json": policy({
    resourcePolicy: {
      resource: "clock",
      version: "default",
      rules: [
        {
          actions: ["ring"],
          effect: "EFFECT_ALLOW",
          roles: ["*"],
          condition: when('now() == timestamp("2030-01-02T03:04:05.678Z")'),
        },
        { actions: ["stop"], effect: "EFFECT_ALLOW", roles: ["*"], condition: when('G.environment == "test"') },
      ],
    },
  }),
  "token.json": policy({
    resourcePolicy: {
      resource: "token",
      version: "default",
      rules: [
        {
          actions: ["use"],
          effect: "EFFECT_ALLOW",
          roles: ["*"],
          condition: when('request.auxData.jwt.iss == "https://issuer.test"'),
        },
      ],
    },
  }),
  "risk.json": policy({
    resourcePolicy: {
      resource: "risk",
      version: "default",
      rules: [
        { actions: ["take"], effect: "EFFECT_ALLOW", roles: ["*"] },
        { actions: ["take"], effect: "EFFECT_DENY", roles: ["*"], condition: when("R.attr.amount > 1000") },
      ],
    },
  }),
  ...Object.fromEntries(
    ["", "acme", "acme.hr"].map((scope) => [
      `leave/${scope || "root"}.json`,
      policy({
        resourcePolicy: {
          resource: "leave",
          version: "20300101",
          ...(scope === "" ? {} : { scope }),
          rules: [{ actions: [`from:${scope || "root"}`], effect: "EFFECT_ALLOW", roles: ["user"] }],
        },
      }),
    ]),
  ),
};
