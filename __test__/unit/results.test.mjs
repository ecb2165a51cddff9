/** What callers get for the addon's answers. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fake, fakeEngine, PRINCIPAL, RESOURCE, request } from "../support/engine.mjs";

const answering = (answer) => {
  const orthrus = fakeEngine();
  fake.answer = () => answer;
  return orthrus;
};
const ALLOW = "EFFECT_ALLOW";
const DENY = "EFFECT_DENY";

describe("a result", () => {
  test("has effects, and nothing else where nothing else is told", () => {
    const result = answering("AD").checkResourceSync(request({ actions: ["view", "edit"] }));
    assert.deepEqual(
      { ...result },
      {
        resource: { kind: "document", id: "1", policyVersion: "", scope: "" },
        actions: { view: ALLOW, edit: DENY },
        validationErrors: [],
        metadata: undefined,
        outputs: [],
      },
    );
    assert.equal(result.isAllowed("view"), true);
    assert.equal(result.isAllowed("edit"), false);
    assert.equal(result.isAllowed("delete"), undefined);
    assert.equal(result.allAllowed(), false);
    assert.deepEqual(result.allowedActions(), ["view"]);
  });

  test("has the effects of a mask, the first action lowest", () => {
    const actions = ["view", "edit", "delete"];
    const result = answering(0b101).checkResourceSync(request({ actions }));
    assert.deepEqual(result.actions, { view: ALLOW, edit: DENY, delete: ALLOW });
    const many = Array.from({ length: 30 }, (_, index) => `action${index}`);
    assert.deepEqual(
      answering(2 ** 29)
        .checkResourceSync(request({ actions: many }))
        .allowedActions(),
      ["action29"],
    );
    assert.equal(answering(1).isAllowedSync({ principal: PRINCIPAL, resource: RESOURCE, action: "view" }), true);
    assert.equal(answering(0).isAllowedSync({ principal: PRINCIPAL, resource: RESOURCE, action: "view" }), false);
  });

  test("has the version and scope that were asked for", () => {
    const resource = { ...RESOURCE, policyVersion: "v1", scope: "acme" };
    assert.deepEqual(answering("A").checkResourceSync(request({ resource })).resource, resource);
  });

  test("has outputs, validation errors and metadata", () => {
    const detail = {
      outputs: [
        { src: "resource.document.vdefault#a", action: "view", val: { a: 1 } },
        { src: "resource.document.vdefault#b", action: "view", error: "division by zero" },
      ],
      validationErrors: [{ path: "/a", message: "wrong", source: "SOURCE_RESOURCE" }],
      meta: { actions: { view: { matchedPolicy: "resource.document.vdefault" } } },
    };
    const result = answering(`A\n${JSON.stringify([detail])}`).checkResourceSync(request());
    assert.deepEqual(result.outputs, [
      { source: "resource.document.vdefault#a", action: "view", value: { a: 1 }, error: undefined },
      { source: "resource.document.vdefault#b", action: "view", value: undefined, error: "division by zero" },
    ]);
    assert.deepEqual(result.output("resource.document.vdefault#a"), { a: 1 });
    assert.equal(result.output("resource.document.vdefault#c"), undefined);
    assert.deepEqual(result.validationErrors, detail.validationErrors);
    assert.deepEqual(result.metadata, {
      actions: { view: { matchedPolicy: "resource.document.vdefault", matchedScope: "" } },
      effectiveDerivedRoles: [],
    });
  });

  test("survives actions named like properties of objects", () => {
    const actions = ["__proto__", "constructor", "toString"];
    const result = answering("ADA").checkResourceSync(request({ actions }));
    assert.deepEqual(
      actions.map((action) => result.isAllowed(action)),
      [true, false, true],
    );
    assert.deepEqual(result.allowedActions(), ["__proto__", "toString"]);
    assert.equal(result.isAllowed("valueOf"), undefined);
    assert.equal(Object.getPrototypeOf(result.actions), Object.prototype);
  });

  test("does not change with the request's lists", () => {
    const actions = ["view"];
    const result = answering("A").checkResourceSync(request({ actions }));
    actions.push("delete");
    assert.deepEqual(result.actions, { view: ALLOW });
  });
});

describe("a response", () => {
  const resources = [
    { resource: RESOURCE, actions: ["view", "edit"] },
    { resource: { kind: "document", id: "2", scope: "acme" }, actions: ["view"] },
    { resource: { kind: "document", id: "2" }, actions: ["edit"] },
  ];
  const respond = (answer, fields) =>
    answering(answer).checkResourcesSync({ principal: PRINCIPAL, resources, ...fields });

  test("has a result for each resource, in order", () => {
    const { results } = respond("ADAD");
    assert.deepEqual(
      results.map(({ resource }) => resource.id),
      ["1", "2", "2"],
    );
    assert.deepEqual(
      results.map(({ actions }) => actions),
      [{ view: ALLOW, edit: DENY }, { view: ALLOW }, { edit: DENY }],
    );
  });

  test("finds results by resource", () => {
    const response = respond("AAAD");
    const two = { kind: "document", id: "2" };
    assert.equal(response.isAllowed({ resource: RESOURCE, action: "view" }), true);
    assert.equal(response.isAllowed({ resource: RESOURCE, action: "delete" }), undefined);
    assert.equal(response.isAllowed({ resource: { kind: "document", id: "3" }, action: "view" }), undefined);
    assert.equal(response.findResult(two).resource.scope, "acme");
    assert.equal(response.findResult({ ...two, scope: "" }), response.results[2]);
    assert.equal(response.findResult({ ...two, policyVersion: "v1" }), undefined);
    assert.equal(response.allAllowed(RESOURCE), true);
    assert.equal(response.allAllowed({ kind: "x", id: "1" }), undefined);
    assert.deepEqual(response.allowedActions(RESOURCE), ["view", "edit"]);
    assert.equal(response.allowedActions({ kind: "x", id: "1" }), undefined);
  });

  test("tells each validation error once", () => {
    const error = (path) => ({ path, message: "wrong", source: "SOURCE_PRINCIPAL" });
    const details = [{ validationErrors: [error("/a")] }, { validationErrors: [error("/a"), error("/b")] }, {}];
    assert.deepEqual(respond(`AAAA\n${JSON.stringify(details)}`).validationErrors, [error("/a"), error("/b")]);
  });

  test("has the request's id, or a UUID of its own", () => {
    assert.equal(respond("AAAA", { requestId: "r-1" }).requestId, "r-1");
    assert.equal(respond("AAAA", { requestId: "" }).requestId, "");
    const response = respond("AAAA");
    assert.match(response.requestId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(response.requestId, response.requestId);
  });

  test("has a ULID of its own, and all of it in JSON", () => {
    const before = Date.now();
    const response = respond("AAAA");
    const { cerbosCallId, requestId } = response;
    assert.match(cerbosCallId, /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const time = [...cerbosCallId.slice(0, 10)].reduce((time, digit) => time * 32 + digits.indexOf(digit), 0);
    assert.ok(time >= before && time <= Date.now());
    const ids = new Set(Array.from({ length: 1000 }, () => respond("AAAA").cerbosCallId));
    assert.equal(ids.size, 1000);
    const json = JSON.parse(JSON.stringify(response));
    assert.deepEqual([json.cerbosCallId, json.requestId, json.results.length], [cerbosCallId, requestId, 3]);
  });
});

describe("an answer that breaks the contract allows nothing:", () => {
  const answers = {
    "too short": "A",
    "too long": "AAA",
    empty: "",
    "another letter": "A1",
    "no line feed": "AA[]",
    "a mask with too many bits": 0b111,
    "a negative mask": -1,
    "a mask that is no integer": Number.NaN,
  };
  for (const [name, answer] of Object.entries(answers)) {
    test(name, () => {
      const check = () => answering(answer).checkResourceSync(request({ actions: ["view", "edit"] }));
      assert.throws(check, { name: "OrthrusError", code: "ENGINE_FAULT" });
    });
  }
});
