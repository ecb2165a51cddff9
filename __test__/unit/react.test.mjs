/** `orthrus/react`: rendered on the server, hydrated in a document, with no flash between the two. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { Window } from "happy-dom";
import { AuthzProvider, Can, useIsAllowed } from "orthrus/react";
import { act, createElement as h } from "react";
import { renderToString } from "react-dom/server";

const document1 = { kind: "document", id: "1" };
const decision = (resource, actions) => ({ resource, actions });

/** Says what it may. */
function Answer(search) {
  return useIsAllowed(search) ? "yes" : "no";
}
const answer = (decisions, search) =>
  renderToString(h(AuthzProvider, { decisions }, h(Answer, search))).replaceAll(/<!-- -->/g, "");

let warn;
beforeEach(() => {
  warn = mock.method(console, "warn", () => undefined);
});
afterEach(() => mock.restoreAll());

describe("useIsAllowed", () => {
  const scoped = [
    decision({ ...document1, scope: "acme" }, { view: true, edit: true }),
    decision({ ...document1, scope: "globex" }, { view: true, edit: false }),
  ];
  const cases = [
    ["what is allowed", [decision(document1, { view: true })], document1, "view", "yes"],
    ["what is denied", [decision(document1, { view: false })], document1, "view", "no"],
    ["another action", [decision(document1, { view: true })], document1, "edit", "no"],
    ["another id", [decision(document1, { view: true })], { ...document1, id: "2" }, "view", "no"],
    ["another kind", [decision(document1, { view: true })], { ...document1, kind: "project" }, "view", "no"],
    ["an action with the name of something inherited", [decision(document1, {})], document1, "toString", "no"],
    ["what is only like true", [decision(document1, { view: "false" })], document1, "view", "no"],
    [
      "two decisions, on different actions",
      [decision(document1, { view: true }), decision(document1, { edit: true })],
      document1,
      "edit",
      "yes",
    ],
    ["a scope", scoped, { ...document1, scope: "acme" }, "edit", "yes"],
    ["another scope", scoped, { ...document1, scope: "globex" }, "edit", "no"],
    ["no scope, where one of two denies", scoped, document1, "edit", "no"],
    ["no scope, where both allow", scoped, document1, "view", "yes"],
    ["the empty scope, which none has", scoped, { ...document1, scope: "" }, "view", "no"],
    ["the empty scope", [decision(document1, { view: true })], { ...document1, scope: "" }, "view", "yes"],
    [
      "a version",
      [decision({ ...document1, policyVersion: "next" }, { view: true })],
      { ...document1, policyVersion: "next" },
      "view",
      "yes",
    ],
    [
      "another version",
      [decision({ ...document1, policyVersion: "next" }, { view: true })],
      { ...document1, policyVersion: "default" },
      "view",
      "no",
    ],
    [
      "another kind and id that read the same",
      [decision({ kind: "a", id: "b c" }, { view: true })],
      { kind: "a b", id: "c" },
      "view",
      "no",
    ],
    ["a whole resource", [decision(document1, { view: true })], { ...document1, attr: { a: 1 } }, "view", "yes"],
  ];
  for (const [name, decisions, resource, action, expected] of cases) {
    test(`finds ${name}`, () => assert.equal(answer(decisions, { resource, action }), expected));
  }

  test("looks into the nearest provider first, then further out", () => {
    const inner = [decision(document1, { view: false })];
    const outer = [decision(document1, { view: true, edit: true, constructor: true })];
    const ask = (action) =>
      renderToString(
        h(
          AuthzProvider,
          { decisions: outer },
          h(AuthzProvider, { decisions: inner }, h(Answer, { resource: document1, action })),
        ),
      );
    assert.deepEqual(["view", "edit", "constructor"].map(ask), ["no", "yes", "yes"]);
  });

  test("needs decisions, and not a promise of them", () => {
    for (const decisions of [undefined, null, Promise.resolve([]), {}]) {
      assert.throws(() => answer(decisions, { resource: { kind: "document", id: "1" }, action: "view" }), /await it/);
    }
  });

  test("names once what is missing", () => {
    const missing = { resource: { kind: "document", id: "missing" }, action: "view" };
    answer([], missing);
    answer([], missing);
    assert.equal(warn.mock.callCount(), 1);
    assert.match(warn.mock.calls[0].arguments[0], /"view" on document missing is not among the decisions/);
  });

  test("denies outside of a provider, and says so", () => {
    assert.equal(renderToString(h(Answer, { resource: { kind: "document", id: "outside" }, action: "view" })), "no");
    assert.match(warn.mock.calls[0].arguments[0], /outside of <AuthzProvider>/);
  });

  test("is quiet about what was decided, and in production", () => {
    answer([decision(document1, { view: false })], { resource: document1, action: "view" });
    const { NODE_ENV } = process.env;
    process.env.NODE_ENV = "production";
    answer([], { resource: { kind: "document", id: "production" }, action: "view" });
    if (NODE_ENV === undefined) {
      delete process.env.NODE_ENV;
    } else {
      process.env.NODE_ENV = NODE_ENV;
    }
    assert.equal(warn.mock.callCount(), 0);
  });
});

describe("Can", () => {
  const render = (allowed, props) =>
    renderToString(
      h(
        AuthzProvider,
        { decisions: [decision(document1, { edit: allowed })] },
        h(Can, { resource: document1, action: "edit", ...props }, h("b", null, "Edit")),
      ),
    );
  for (const [name, allowed, props, expected] of [
    ["children where it is allowed", true, { fallback: "–" }, "<b>Edit</b>"],
    ["the fallback where it is not", false, { fallback: "–" }, "–"],
    ["nothing where there is no fallback", false, {}, ""],
  ]) {
    test(`shows ${name}`, () => assert.equal(render(allowed, props), expected));
  }
});

describe("in a document", () => {
  let window;
  /** What the test puts in place of globals, and what was there. */
  let replaced;
  const replace = (name, value) => {
    replaced.push([name, Object.getOwnPropertyDescriptor(globalThis, name)]);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  };
  beforeEach(() => {
    window = new Window();
    replaced = [];
    for (const name of ["window", "document", "navigator"]) {
      replace(name, name === "window" ? window : window[name]);
    }
    replace("IS_REACT_ACT_ENVIRONMENT", true);
  });
  afterEach(async () => {
    await window.happyDOM.close();
    for (const [name, descriptor] of replaced) {
      delete globalThis[name];
      if (descriptor !== undefined) {
        Object.defineProperty(globalThis, name, descriptor);
      }
    }
  });

  // What the server has decided travels as JSON.
  const decisions = JSON.parse(JSON.stringify([decision(document1, { edit: true, delete: false })]));
  const page = (decisions) =>
    h(
      AuthzProvider,
      { decisions },
      h(Can, { resource: document1, action: "edit" }, h("b", null, "Edit")),
      h(Can, { resource: document1, action: "delete", fallback: h("i", null, "kept") }, h("b", null, "Delete")),
    );

  test("hydrates to what the server has shown, and follows new decisions", async () => {
    const { hydrateRoot } = await import("react-dom/client");
    const container = window.document.createElement("main");
    window.document.body.append(container);
    const html = renderToString(page(decisions));
    assert.equal(html, "<b>Edit</b><i>kept</i>");
    container.innerHTML = html;
    const [shown] = container.children;
    const problems = [];
    mock.method(console, "error", (...problem) => problems.push(problem));
    const onRecoverableError = (error) => problems.push(error);

    const root = await act(() => hydrateRoot(container, page(decisions), { onRecoverableError }));
    assert.equal(container.innerHTML, html);
    assert.equal(container.children[0], shown, "the server's element is kept");

    await act(() => root.render(page([decision(document1, { edit: false, delete: true })])));
    assert.equal(container.textContent, "Delete");
    await act(() => root.unmount());
    assert.deepEqual(problems, []);
  });
});
