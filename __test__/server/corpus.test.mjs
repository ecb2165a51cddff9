/** The suites of `conformance/cerbos/server`, over HTTP and gRPC: one test a case and protocol. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { reflectedClient } from "./grpc.mjs";
import { CONFORMANCE, hasCorpus, post, startServer } from "./support.mjs";

const CERBOS = "cerbos.svc.v1.CerbosService";
const AUTHZEN = "authzen.authorization.v1.AuthorizationService";

/** The calls of the cases: path over HTTP, service and method over gRPC. */
const CALLS = {
  checkResources: ["/api/check/resources", CERBOS, "CheckResources"],
  checkResourceSet: ["/api/check", CERBOS, "CheckResourceSet"],
  checkResourceBatch: ["/api/check_resource_batch", CERBOS, "CheckResourceBatch"],
  accessEvaluation: ["/access/v1/evaluation", AUTHZEN, "AccessEvaluation"],
  accessEvaluationBatch: ["/access/v1/evaluations", AUTHZEN, "AccessEvaluationBatch"],
};

const SUITES = [
  "checks/check_resources",
  "checks/check_resource_set",
  "checks/check_resource_batch",
  "authzen/access_evaluation",
  "authzen/access_evaluation_batch",
];

function casesOf(suite) {
  const folder = join(CONFORMANCE, "server", suite);
  return readdirSync(folder).map((name) => ({
    name,
    ...parse(readFileSync(join(folder, name), "utf8"), { merge: true }),
  }));
}

/** Lists that are sets, in one order; ids of calls left out. */
function comparable(value, key) {
  if (Array.isArray(value)) {
    const list = value.map((item) => comparable(item));
    const isSet = ["effectiveDerivedRoles", "outputs", "validationErrors"].includes(key);
    return isSet ? list.sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1)) : list;
  }
  if (value !== null && typeof value === "object") {
    const fields = Object.entries(value).filter(([name]) => !["cerbosCallId", "context"].includes(name));
    return Object.fromEntries(fields.sort().map(([name, item]) => [name, comparable(item, name)]));
  }
  return value;
}

describe("the suites of the wire API", { skip: !hasCorpus }, () => {
  const cleanups = [];
  let [url, client] = [];

  before(async () => {
    const t = { after: (clean) => cleanups.push(clean) };
    const file = join(CONFORMANCE, "auxdata/keys/verify_key.jwk");
    const server = await startServer(t, join(CONFORMANCE, "store"), {
      engine: { schemaEnforcement: "reject" },
      server: { requestLimits: { maxActionsPerResource: 5, maxResourcesPerRequest: 5 } },
      auxData: { jwt: { keySets: [{ id: "cerbos", local: { file } }] } },
    });
    url = server.url;
    client = await reflectedClient(server.grpc, [CERBOS, AUTHZEN]);
  });

  after(async () => {
    client?.close();
    for (const clean of cleanups) {
      await clean();
    }
  });

  for (const suite of hasCorpus ? SUITES : []) {
    for (const it of casesOf(suite)) {
      const call = Object.keys(CALLS).find((name) => name in it);
      const [path, service, method] = CALLS[call];
      const { input, wantResponse } = it[call];

      test(`${suite}/${it.name} over HTTP`, async () => {
        const { status, body } = await post(`${url}${path}`, input);
        assert.equal(status, it.wantStatus.httpStatusCode, JSON.stringify(body));
        if (it.wantError) {
          assert.equal(body.code, it.wantStatus.grpcStatusCode);
          assert.notEqual(body.message, "");
        } else {
          assert.deepEqual(comparable(body), comparable(wantResponse));
        }
        assert.equal("cerbosCallId" in body, call === "checkResources" && !it.wantError);
      });

      test(`${suite}/${it.name} over gRPC`, async () => {
        const { code, message, response } = await client.call(service, method, input);
        assert.equal(code, it.wantStatus.grpcStatusCode, message);
        if (it.wantError) {
          assert.notEqual(message, "");
        } else {
          assert.deepEqual(comparable(response), comparable(wantResponse));
        }
      });
    }
  }
});
