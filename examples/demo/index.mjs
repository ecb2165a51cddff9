/**
 * The demo: `npm run demo`. Opens the sample policies, signs people in through the real SDKs of Clerk and WorkOS, and asks for
 * each twice: in process, and over HTTP through an Express application that recognizes them by their tokens and cookies. Ends
 * with 1 if the two ways differ or a decision is not the one that the policies promise.
 */

import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { Orthrus } from "orthrus";
import { createApp, routes, serve } from "./app.mjs";
import { cases } from "./cases.mjs";
import { records } from "./records.mjs";
import { conclude, print } from "./report.mjs";
import { signIn } from "./sessions.mjs";

/** One decision, from whichever way it came, in a form that compares. */
const decision = ({ session, action, resource }, allowed, { metadata, outputs }) => ({
  session,
  action,
  resource,
  allowed,
  matchedPolicy: metadata.actions[action].matchedPolicy,
  derivedRoles: [...metadata.effectiveDerivedRoles].sort(),
  outputs: outputs
    .filter((output) => output.action === action)
    .map(({ source, value, error }) => ({ source, value, error })),
});

/** Asks the engine itself. */
async function decideInProcess(engine, principal, question) {
  const { results } = await engine.checkResources({
    principal,
    resources: [{ resource: records.get(question.resource), actions: [question.action] }],
    includeMetadata: true,
  });
  return decision(question, results[0].isAllowed(question.action), results[0]);
}

/** Makes the HTTP request that needs the permission. */
async function decideOverHttp(url, headers, question) {
  const [kind, id] = question.resource.split("/");
  const route = routes.find((candidate) => candidate.kind === kind && candidate.action === question.action);
  const response = await fetch(url + route.path.replace(":id", id), {
    method: route.method,
    headers,
  });
  // 401 is for nobody.
  if (![200, 401, 403].includes(response.status)) {
    throw new Error(`${route.method} ${route.path} answered ${response.status}: ${await response.text()}`);
  }
  return decision(question, response.status === 200, await response.json());
}

// JSON has no undefined: what crosses HTTP is compared in the form that it has there.
const plain = (value) => JSON.parse(JSON.stringify(value));

const engine = await Orthrus.open(fileURLToPath(new URL("../../policies", import.meta.url)));
const identities = await signIn();
const { people } = identities;
const server = await serve(createApp(engine, identities));
try {
  const decisions = [];
  const complaints = [];
  for (const question of cases) {
    const { principal, headers } = people[question.session];
    const inProcess = await decideInProcess(engine, principal, question);
    const overHttp = await decideOverHttp(server.url, headers, question);
    const label = `${question.session}, ${question.action} on ${question.resource}`;
    if (inProcess.allowed !== question.allowed) {
      complaints.push(`${label}: expected ${question.allowed ? "allow" : "deny"}`);
    }
    if (!isDeepStrictEqual(plain(inProcess), plain(overHttp))) complaints.push(`${label}: HTTP decided otherwise`);
    decisions.push(inProcess);
  }
  print(decisions, (session) => people[session].title);
  for (const complaint of complaints) conclude(complaint, false);
  if (complaints.length > 0) {
    process.exitCode = 1;
    conclude(`${complaints.length} of ${cases.length} decisions are not as they should be.`, false);
  } else {
    conclude(`In process and over HTTP agreed on all ${cases.length} decisions, each as expected.`, true);
  }
} finally {
  await server.close();
  await identities.close();
  engine.close();
}
