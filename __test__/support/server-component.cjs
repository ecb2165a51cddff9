"use strict";

/** Renders server components that ask for authorization, and prints how often the application and the engine were asked. */

process.env.ORTHRUS_NATIVE_PATH = require.resolve("./fake-native.cjs");
process.env.NODE_ENV = "production";
// What a bundler brings along; there are no client components here.
globalThis.__webpack_require__ = () => undefined;

const { createElement } = require("react");
const { renderToPipeableStream } = require("next/dist/compiled/react-server-dom-webpack/server.node");
const { Orthrus } = require("orthrus");
const { createAuthz } = require("orthrus/next");
const { fake } = require("./fake-native.cjs");

const counts = { principals: 0 };
const resource = { kind: "document", id: "1" };
const authz = createAuthz({
  engine: Orthrus.fromFilesSync({}),
  principal: async () => {
    counts.principals += 1;
    return { id: "ann", roles: ["user"] };
  },
});
const decisions = [];

async function Layout({ children }) {
  decisions.push(await authz.authorize({ resource, action: "view" }));
  return children;
}

async function Page() {
  decisions.push(await authz.authorize({ resource, action: "view" }));
  await authz.isAllowed({ resource, action: "edit" });
  await authz.snapshot([{ resource, actions: ["edit"] }]);
  return (await authz.principal()).id;
}

const stream = renderToPipeableStream(createElement(Layout, null, createElement(Page)), {});
const sink = new (require("node:stream").Writable)({ write: (_chunk, _encoding, done) => done() });
sink.on("finish", () => {
  const same = decisions.length === 2 && decisions[0] === decisions[1];
  console.log(JSON.stringify({ ...counts, requests: fake.requests.length, same }));
});
stream.pipe(sink);
