/** The proxies of `examples/gateway`, each in front of an origin of its own, with one server that they ask. */

import { spawn } from "node:child_process";
import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { startIssuer } from "../../../examples/gateway/issuer.mjs";
import { startOrigin } from "../../../examples/gateway/origin.mjs";
import { findProgram, PROXIES, startProxy } from "../../../examples/gateway/proxies.mjs";
import { freePort } from "../../../scripts/lib/examples.mjs";
import { inRoot } from "../../../scripts/lib/project.mjs";
import { provideProxies } from "../../../scripts/lib/proxies.mjs";

const FOLDER = inRoot("examples", "gateway");

/** Starts all. Resolves to `{ issuer, origin, orthrus, proxies, close }`; `proxies` are URLs by name, `undefined` where one is not installed. */
export async function startGateways() {
  await provideProxies();
  const [issuer, origin] = [await startIssuer(0), await startOrigin(0)];
  const ports = { orthrus: await freePort(), orthrusGrpc: await freePort(), origin: origin.port, issuer: issuer.port };
  const orthrus = await startOrthrus(ports);
  const running = [];
  const proxies = { traefik: await startTraefik(ports, running) };
  for (const [name, { program }] of Object.entries(PROXIES)) {
    if (findProgram(program) === undefined) {
      if (process.env.CI) {
        throw new Error(`${program} is not installed`);
      }
      console.log(`SKIPPED: ${program} is not installed`);
      continue;
    }
    const proxy = await startProxy(name, { ...ports, port: await freePort(), admin: await freePort() });
    running.push(proxy);
    proxies[name] = proxy.port;
  }
  const close = async () => {
    await Promise.all(running.map(({ stop }) => stop()));
    await orthrus.stop();
    await issuer.close();
    await origin.close();
  };
  return { issuer, origin, orthrus, ports, proxies, close };
}

/** `orthrus server` on the configuration of the example. It can be stopped and started again. */
async function startOrthrus(ports) {
  const env = {
    ...process.env,
    ORTHRUS_HTTP: String(ports.orthrus),
    ORTHRUS_GRPC: String(ports.orthrusGrpc),
    ISSUER_PORT: String(ports.issuer),
    HEADER_TIMEOUT: "1s",
  };
  let child;
  let output = "";
  const start = async () => {
    child = spawn(process.execPath, [inRoot("bin", "orthrus.js"), "server"], {
      cwd: FOLDER,
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    const { exitCode } = child;
    for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
      const answer = await fetch(`http://127.0.0.1:${ports.orthrus}/_cerbos/health`).catch(() => undefined);
      if (answer?.ok) {
        return;
      }
      if (exitCode !== null || Date.now() > deadline) {
        throw new Error(`orthrus does not start:\n${output}`);
      }
    }
  };
  const stop = async () => {
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGTERM");
    await ended;
  };
  await start();
  return { start, stop, output: () => output };
}

const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
const RESPONSE_HEADERS = ["x-orthrus-principal", "x-orthrus-roles", "x-orthrus-call-id"];

/**
 * Asks as Traefik's ForwardAuth does (v3, `pkg/middlewares/auth/forward.go`), with the options of `traefik/dynamic.yaml`: there is no package of
 * Traefik to run.
 */
async function startTraefik({ orthrus, origin }, running) {
  const server = createServer(async (request, response) => {
    const headers = Object.fromEntries(
      Object.entries(request.headersDistinct).filter(
        ([name]) => !HOP_BY_HOP.includes(name) && name !== "content-length",
      ),
    );
    // trustForwardHeader is false: what the client says is replaced.
    const asked = {
      ...headers,
      host: request.headers.host,
      "x-forwarded-for": request.socket.remoteAddress,
      "x-forwarded-method": request.method,
      "x-forwarded-proto": "http",
      "x-forwarded-host": request.headers.host,
      "x-forwarded-uri": request.url,
    };
    const answer = await send({ port: orthrus, path: "/forward-auth/traefik", headers: asked }).catch(() => undefined);
    if (answer === undefined) {
      response.writeHead(500).end();
      return;
    }
    if (answer.status < 200 || answer.status >= 300) {
      response.writeHead(answer.status, answer.headers).end(answer.body);
      return;
    }
    const passed = { ...request.headersDistinct, host: request.headers.host };
    for (const name of RESPONSE_HEADERS) {
      delete passed[name];
      if (answer.headers[name] !== undefined) {
        passed[name] = answer.headers[name];
      }
    }
    const sent = httpRequest(
      { port: origin, method: request.method, path: request.url, headers: passed },
      (answered) => {
        response.writeHead(answered.statusCode, answered.headers);
        answered.pipe(response);
      },
    );
    sent.on("error", () => response.writeHead(502).end());
    request.pipe(sent);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  running.push({
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return server.address().port;
}

function send({ port, path, headers }) {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ port, path, headers, host: "127.0.0.1" }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      );
      answer.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

/**
 * Sends a request as it is written, byte by byte: no library puts it right. Resolves to `{ status, headers, body }`; a connection that is
 * closed without an answer has the status 0.
 */
export function raw(
  port,
  { method = "GET", target, headers = [], body = "", version = "1.1", host = "app.example.com" },
) {
  const lines = [
    `${method} ${target} HTTP/${version}`,
    `Host: ${host}`,
    "Connection: close",
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  if (body !== "") {
    lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  }
  return new Promise((resolve) => {
    const chunks = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`, "latin1"));
    socket.setTimeout(20_000, () => socket.destroy());
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(parse(Buffer.concat(chunks).toString("latin1"))));
  });
}

function parse(text) {
  const [head, ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.split(":")[0].toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const status = Number(/^HTTP\/1\.\d (\d+)/.exec(first)?.[1] ?? 0);
  const body = rest.join("\r\n\r\n");
  return { status, headers, body: headers["transfer-encoding"] === "chunked" ? unchunked(body) : body };
}

function unchunked(text) {
  let [rest, out] = [text, ""];
  for (;;) {
    const end = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (!(size > 0)) {
      return out;
    }
    out += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 4 + size);
  }
}
