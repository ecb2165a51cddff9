/**
 * Load while policies are replaced: every second the files of the policies change, and each answer has to be that of the policies before or
 * after, whole.
 *
 *   node bench/soak.mjs [SECONDS]   default: 600
 *
 * Prints a line every ten seconds. Ends with 1 if an answer is lost or wrong.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Orthrus } from "../dist/index.mjs";
import { serve } from "../dist/server.mjs";

const CONNECTIONS = 16;

/** Odd versions allow `odd`, even ones `even`; both allow `view` and deny `delete`. */
const policy = (version) => `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  rules:
    - { actions: [view, ${version % 2 === 0 ? "even" : "odd"}], effect: EFFECT_ALLOW, roles: [user] }
    - { actions: [delete], effect: EFFECT_DENY, roles: ["*"] }
  # version ${version}
`;

const BROKEN = "apiVersion: api.cerbos.dev/v1\nresourcePolicy: {\n";

const BODY = JSON.stringify({
  principal: { id: "ann", roles: ["user"] },
  resources: ["1", "2"].map((id) => ({
    resource: { kind: "document", id },
    actions: ["view", "delete", "odd", "even"],
  })),
});

const ALLOW = "EFFECT_ALLOW";
const DENY = "EFFECT_DENY";
const expected = (odd) =>
  JSON.stringify({ view: ALLOW, delete: DENY, odd: odd ? ALLOW : DENY, even: odd ? DENY : ALLOW });

const inOrder = ({ view, delete: remove, odd, even }) => JSON.stringify({ view, delete: remove, odd, even });

/** Whether both resources were decided by the same policies, and rightly. */
function isRight(status, text) {
  if (status !== 200) {
    return false;
  }
  const [first, second] = JSON.parse(text).results.map(({ actions }) => inOrder(actions));
  return first === second && (first === expected(true) || first === expected(false));
}

/** Resolves to `{ answers, reloads, wrong, lost, seen }`. */
export async function soak(seconds, tell = () => undefined) {
  const folder = mkdtempSync(join(tmpdir(), "orthrus-soak-"));
  const file = join(folder, "document.yaml");
  writeFileSync(file, policy(0));
  const orthrus = await Orthrus.open(folder);
  const reloads = { done: 0, refused: 0 };
  const server = await serve(orthrus, {
    server: { httpListenAddr: "127.0.0.1:0", grpcListenAddr: "" },
    watch: true,
    log: ({ level, logger }) => {
      if (logger === "orthrus.policies") {
        reloads[level === "error" ? "refused" : "done"] += 1;
      }
    },
  });
  const tally = { answers: 0, wrong: 0, lost: 0, seen: new Set() };
  const [host, port] = server.addresses.http.split(":");
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const deadline = Date.now() + seconds * 1000;
  const load = async () => {
    while (Date.now() < deadline) {
      try {
        const { status, text } = await ask({ host, port, agent });
        tally.answers += 1;
        tally.wrong += isRight(status, text) ? 0 : 1;
        tally.seen.add(text.replace(/"cerbosCallId":"\w+"/, ""));
      } catch {
        tally.lost += 1;
      }
    }
  };
  const change = async () => {
    for (let version = 1; Date.now() < deadline; version++) {
      // Now and then somebody writes what is no policy: the one before goes on deciding.
      writeFileSync(file, version % 7 === 0 ? BROKEN : policy(version));
      await sleep(1000);
    }
  };
  const report = async () => {
    while (Date.now() < deadline) {
      await sleep(Math.min(10_000, Math.max(0, deadline - Date.now())));
      tell({ ...tally, reloads });
    }
  };
  try {
    await Promise.all([change(), report(), ...Array.from({ length: CONNECTIONS }, load)]);
  } finally {
    agent.destroy();
    await server.stop(1000);
    orthrus.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return { ...tally, seen: tally.seen.size, reloads };
}

function ask({ host, port, agent }) {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(BODY) };
    const sent = request({ host, port, agent, method: "POST", path: "/api/check/resources", headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(BODY);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const seconds = Number(process.argv[2] ?? 600);
  const line = ({ answers, wrong, lost, reloads }) =>
    `${answers.toLocaleString("en-US")} answers, ${wrong} wrong, ${lost} lost; ${reloads.done} reloads, ${reloads.refused} refused`;
  const result = await soak(seconds, (tally) => console.log(line(tally)));
  console.log(line(result));
  process.exitCode = result.wrong + result.lost > 0 || result.seen < 2 ? 1 : 0;
}
