/** The real PDP: one process for a set of policies, asked over its HTTP interface on a Unix socket. */

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const START_LIMIT = 120_000;

/** The PDP does not take the policies; `errors` are what it says of them. */
export class Refused extends Error {
  constructor(errors) {
    super(errors.join("\n"));
    this.errors = errors;
  }
}

/** The PDP gave no answer to a request. */
export class Unanswered extends Error {
  constructor(status, body) {
    super(`HTTP ${status}: ${body}`);
    this.status = status;
  }
}

function writeStore(files) {
  const folder = mkdtempSync(join(tmpdir(), "orthrus-differential-"));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, "policies", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return folder;
}

/** Tokens of random requests are not signed. */
const UNSIGNED = { jwt: { disableVerification: true } };

function configuration(folder, { schemaEnforcement = "none", ...engine }, auxData, audit) {
  return {
    server: {
      httpListenAddr: `unix:${join(folder, "http.sock")}`,
      grpcListenAddr: `unix:${join(folder, "grpc.sock")}`,
      requestLimits: { maxActionsPerResource: 500, maxResourcesPerRequest: 500 },
    },
    storage: { driver: "disk", disk: { directory: join(folder, "policies"), watchForChanges: false } },
    engine,
    schema: { enforcement: schemaEnforcement },
    auxData,
    audit,
    telemetry: { disabled: true },
  };
}

/** A running PDP. */
export class Pdp {
  #child;
  #folder;
  #agent = new Agent({ keepAlive: true });

  /** Starts a PDP on files by path, `audit` is that of its configuration. Rejects with `Refused`. */
  static async start(binary, files, options, auxData = UNSIGNED, audit = undefined) {
    const pdp = new Pdp();
    pdp.#folder = writeStore(files);
    const path = join(pdp.#folder, "config.json");
    writeFileSync(path, JSON.stringify(configuration(pdp.#folder, options, auxData, audit)));
    pdp.#child = spawn(binary, ["server", `--config=${path}`, "--log-level=error"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = [];
    pdp.#child.stderr.setEncoding("utf8").on("data", (text) => said.push(text));
    pdp.#child.stdout.setEncoding("utf8").on("data", (text) => said.push(text));
    try {
      await pdp.#ready(said);
    } catch (error) {
      await pdp.stop();
      throw error;
    }
    return pdp;
  }

  async #ready(said) {
    const deadline = Date.now() + START_LIMIT;
    while (Date.now() < deadline) {
      if (this.#child.exitCode !== null) {
        throw new Refused([said.join("").trim()]);
      }
      const { status } = await this.#send("GET", "/_cerbos/health").catch(() => ({}));
      if (status === 200) {
        return;
      }
      await sleep(15);
    }
    throw new Error(`the PDP did not start: ${said.join("")}`);
  }

  /** The parsed answer to a check. Rejects with `Unanswered`. */
  async check(body) {
    const { status, text } = await this.#send("POST", "/api/check/resources", JSON.stringify(body));
    if (status !== 200) {
      throw new Unanswered(status, text);
    }
    return JSON.parse(text);
  }

  #send(method, path, body) {
    return new Promise((resolve, reject) => {
      const socketPath = join(this.#folder, "http.sock");
      const headers = { "content-type": "application/json" };
      const sent = request({ socketPath, method, path, headers, agent: this.#agent }, (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }));
        response.on("error", reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  async stop() {
    this.#agent.destroy();
    if (this.#child.exitCode === null) {
      const ended = new Promise((resolve) => this.#child.once("exit", resolve));
      this.#child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Everything that the PDP's compiler finds wrong with files: `{file, error, description}`. */
export async function compileErrors(binary, files) {
  const folder = writeStore(files);
  try {
    const child = spawn(binary, ["compile", "--output=json", "--skip-tests", join(folder, "policies")]);
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    const code = await new Promise((resolve) => child.once("close", resolve));
    if (code === 0) {
      return [];
    }
    return errorsIn(JSON.parse(Buffer.concat(chunks).toString()));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The entries of a report that describe an error, however they are nested. */
function errorsIn(report) {
  if (Array.isArray(report)) {
    return report.flatMap(errorsIn);
  }
  if (typeof report !== "object" || report === null) {
    return [];
  }
  const own = typeof report.description === "string" ? [report] : [];
  return [...own, ...Object.values(report).flatMap(errorsIn)];
}
