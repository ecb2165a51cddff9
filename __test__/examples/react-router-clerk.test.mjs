/** `examples/react-router-clerk`: React Router with the real SDK of Clerk, on tokens that are signed by a key of our own. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clerkAttacks } from "./support/clerk-attacks.mjs";
import { reactRouter } from "./support/frameworks.mjs";
import { describeWorkspace } from "./support/suite.mjs";
import { Visitor } from "./support/visitor.mjs";
import { pages } from "./support/workspace.mjs";

/** Requests that no page makes: [what, path, body, status]. */
const malformed = [
  ["an intent that is none", "/documents", new URLSearchParams({ intent: "toString", id: "roadmap" }), 400],
  ["no form", "/documents", "intent=delete", 400],
  ["a method that the API does not have", "/api/documents/handbook", new URLSearchParams(), 405],
];

describeWorkspace(
  "react-router-clerk",
  (context) => {
    clerkAttacks(context);

    describe("when the browser navigates, it gets no more than the page would tell", () => {
      for (const { person, path, status, absent } of pages) {
        test(`${person}: ${path}.data is ${status}`, async () => {
          const response = await new Visitor(context.app.url, context.cookies[person]).request(`${path}.data`);
          const text = await response.text();
          assert.equal(response.status, status, text);
          for (const unwanted of absent) assert.ok(!text.includes(unwanted), `${unwanted} is in: ${text}`);
        });
      }
    });

    for (const [what, path, body, status] of malformed) {
      test(`${what}: ${status}`, async () => {
        const options = { method: "POST", body, headers: { origin: context.app.url } };
        const response = await new Visitor(context.app.url, context.cookies.ada).request(path, options);
        assert.equal(response.status, status);
      });
    }
  },
  reactRouter,
);
