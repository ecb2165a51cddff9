/** Cerbos' own clients, asked of this server and of the real PDP: the same answers, and the same errors. */

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { GRPC, HTTP } from "./clients/index.mjs";
import { pdpBinary, ROOT, startPdp, startServer, temporary } from "./support.mjs";

const POLICIES = join(ROOT, "policies");
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwk = { ...publicKey.export({ format: "jwk" }), kid: "one", alg: "ES256", use: "sig" };

function token(claims, kid = "one") {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const message = `${part({ alg: "ES256", kid, typ: "JWT" })}.${part({ exp: 4_000_000_000, ...claims })}`;
  const signature = sign("sha256", Buffer.from(message), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${message}.${signature.toString("base64url")}`;
}

const ann = { id: "ann", roles: ["user"], attr: { org_id: "acme", org_role: "admin" } };
const resource = (kind, id, attr = {}) => ({ kind, id, attr });
const document = resource("document", "roadmap", { organization: "acme", owner: "ann", status: "draft" });

/** What is asked, by name: a function of a client. */
const CALLS = {
  "checkResources of several": (client) =>
    client.checkResources({
      principal: ann,
      resources: [
        { resource: document, actions: ["view", "edit", "delete", "publish"] },
        { resource: resource("billing", "acme", { organization: "acme" }), actions: ["invoice:view"] },
        { resource: resource("nothing", "1"), actions: ["view"] },
      ],
    }),
  "checkResources with metadata": (client) =>
    client.checkResources({
      principal: ann,
      resources: [{ resource: document, actions: ["view", "delete"] }],
      includeMetadata: true,
      requestId: "known",
    }),
  "checkResources with a token": (client) =>
    client.checkResources({
      principal: ann,
      resources: [{ resource: document, actions: ["view"] }],
      auxData: { jwt: { token: token({ sub: "ann", org: "acme" }) } },
    }),
  "checkResources with an annotation": (client) =>
    client.checkResources({
      principal: ann,
      resources: [{ resource: document, actions: ["view"] }],
      requestContext: { annotations: { ticket: 7 } },
    }),
  checkResource: (client) => client.checkResource({ principal: ann, resource: document, actions: ["view", "edit"] }),
  isAllowed: (client) => client.isAllowed({ principal: ann, resource: document, action: "view" }),
  withPrincipal: (client) => client.withPrincipal(ann).isAllowed({ resource: document, action: "delete" }),
  checkHealth: (client) => client.checkHealth(),
  "no roles": (client) =>
    client.checkResource({ principal: { id: "a", roles: [] }, resource: document, actions: ["a"] }),
  "nobody, and nothing": (client) => client.checkResources({ principal: { id: "", roles: [""] }, resources: [] }),
  "an action twice": (client) => client.checkResource({ principal: ann, resource: document, actions: ["a", "a"] }),
  "a scope that is none": (client) =>
    client.checkResource({ principal: { ...ann, scope: "_a" }, resource: document, actions: ["a"] }),
  "a version that is none": (client) =>
    client.checkResource({ principal: ann, resource: { ...document, policyVersion: "a-b" }, actions: ["a"] }),
  "too many actions": (client) =>
    client.checkResource({
      principal: ann,
      resource: document,
      actions: Array.from({ length: 51 }, (_, i) => `a${i}`),
    }),
  "too many resources": (client) =>
    client.checkResources({
      principal: ann,
      resources: Array.from({ length: 51 }, (_, i) => ({ resource: resource("document", `${i}`), actions: ["a"] })),
    }),
  "a token of nobody": (client) =>
    client.checkResource({
      principal: ann,
      resource: document,
      actions: ["view"],
      auxData: { jwt: { token: token({ sub: "ann" }, "other") } },
    }),
  "a key set that is not there": (client) =>
    client.checkResource({
      principal: ann,
      resource: document,
      actions: ["view"],
      auxData: { jwt: { token: token({ sub: "ann" }), keySetId: "nope" } },
    }),
  "a token without end": (client) =>
    client.checkResource({ principal: ann, resource: document, actions: ["view"], auxData: { jwt: { token: "x" } } }),
};

/** What a call came to, without what is new each time. */
async function outcome(call) {
  try {
    const text = JSON.stringify(await call, (key, value) =>
      ["cerbosCallId", "requestId"].includes(key) && value !== "known" ? undefined : value,
    );
    const sets = ["effectiveDerivedRoles", "outputs"];
    return JSON.parse(text, (key, value) =>
      sets.includes(key) && Array.isArray(value) ? value.map((it) => JSON.stringify(it)).sort() : value,
    );
  } catch (error) {
    return { name: error.name, code: error.code, details: error.details };
  }
}

describe("Cerbos' clients", { skip: pdpBinary === undefined }, () => {
  const cleanups = [];
  const clients = {};

  before(async () => {
    const t = { after: (clean) => cleanups.push(clean) };
    const file = join(temporary(t), "keys.jwk");
    writeFileSync(file, JSON.stringify({ keys: [jwk] }));
    const auxData = { jwt: { keySets: [{ id: "one", local: { file } }] } };
    const ours = await startServer(t, POLICIES, { auxData });
    const theirs = await startPdp(t, { storage: { driver: "disk", disk: { directory: POLICIES } }, auxData });
    for (const [name, { url, grpc }] of Object.entries({ ours, theirs })) {
      clients[name] = { HTTP: new HTTP(url), gRPC: new GRPC(grpc, { tls: false }) };
    }
  });

  after(async () => {
    for (const { gRPC } of Object.values(clients)) {
      gRPC.close();
    }
    for (const clean of cleanups) {
      await clean();
    }
  });

  for (const protocol of ["HTTP", "gRPC"]) {
    for (const [name, call] of Object.entries(CALLS)) {
      test(`${protocol}: ${name}`, async () => {
        const [ours, theirs] = await Promise.all(
          ["ours", "theirs"].map((side) => outcome(call(clients[side][protocol]))),
        );
        assert.deepEqual(ours, theirs);
      });
    }

    test(`${protocol}: which server it is`, async () => {
      const { version } = await clients.ours[protocol].serverInfo();
      assert.match(version, /^\d+\.\d+\.\d+$/);
    });

    test(`${protocol}: plans are not made, and it is said`, async () => {
      const plan = clients.ours[protocol].planResources({
        principal: ann,
        resource: { kind: "document" },
        action: "view",
      });
      await assert.rejects(plan, ({ code, details }) => code === 12 && /not implemented/.test(details));
    });
  }
});
