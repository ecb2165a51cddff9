/** The proxies of `examples/gateway`, each in front of an origin of its own, with one server that they ask. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { connect, createServer as createSocketServer } from "node:net";
import { join, posix } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectByTls } from "node:tls";
import { parse as parseYaml } from "yaml";
import { startIssuer } from "../../../examples/gateway/issuer.mjs";
import { startOrigin } from "../../../examples/gateway/origin.mjs";
import { findProgram, PROXIES, startProxy } from "../../../examples/gateway/proxies.mjs";
import { freePort } from "../../../scripts/lib/examples.mjs";
import { inRoot } from "../../../scripts/lib/project.mjs";
import { provideProxies } from "../../../scripts/lib/proxies.mjs";

const FOLDER = inRoot("examples", "gateway");

/**
 * Starts all, or the proxies that `only` names; `certificates` is a folder with those of the example, and `options` are given to the server beside its
 * configuration. Resolves to `{ issuer, origin, orthrus, ports, proxies, tls, asked, close }`; `proxies` are ports by name, `undefined` where one is not
 * installed, `tls` those by TLS, and `asked()` is how many bytes the proxies have sent to orthrus.
 */
export async function startGateways(certificates, { only = Object.keys(PROXIES), options = [] } = {}) {
  await provideProxies();
  const [issuer, origin] = [await startIssuer(0), await startOrigin(0)];
  const ports = { orthrus: await freePort(), orthrusGrpc: await freePort(), origin: origin.port, issuer: issuer.port };
  const orthrus = await startOrthrus(ports, options);
  const relays = [await startRelay(ports.orthrus), await startRelay(ports.orthrusGrpc)];
  const between = { ...ports, orthrus: relays[0].port, orthrusGrpc: relays[1].port };
  const running = [];
  const proxies = { traefik: await startTraefik(between, running) };
  const tls = {};
  for (const name of only) {
    const { program } = PROXIES[name];
    if (findProgram(program) === undefined) {
      if (process.env.CI) {
        throw new Error(`${program} is not installed`);
      }
      console.log(`SKIPPED: ${program} is not installed`);
      continue;
    }
    const own = { port: await freePort(), tls: await freePort(), admin: await freePort() };
    const proxy = await startProxy(name, certificates, { ...between, ...own });
    running.push(proxy);
    proxies[name] = proxy.port;
    tls[name] = proxy.tls;
  }
  const stop = async () => {
    await Promise.all(relays.map((relay) => relay.down()));
    await orthrus.stop();
  };
  const start = async () => {
    await orthrus.start();
    await Promise.all(relays.map((relay) => relay.up()));
  };
  const close = async () => {
    await Promise.all(running.map(({ stop }) => stop()));
    await stop();
    await issuer.close();
    await origin.close();
  };
  const asked = () => relays.reduce((sum, { bytes }) => sum + bytes, 0);
  return { issuer, origin, orthrus: { ...orthrus, start, stop }, ports, proxies, tls, asked, close };
}

/** Stands between the proxies and orthrus, and counts what goes there. When it is down nobody can connect. */
async function startRelay(to) {
  const relay = { bytes: 0 };
  const sockets = new Set();
  const server = createSocketServer((from) => {
    const there = connect(to, "127.0.0.1");
    for (const [socket, other] of [
      [from, there],
      [there, from],
    ]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        // What has come still goes on.
        other.destroySoon();
      });
    }
    from.on("data", (chunk) => {
      relay.bytes += chunk.length;
    });
    from.pipe(there);
    there.pipe(from);
  });
  relay.up = () => new Promise((resolve) => server.listen(relay.port ?? 0, "127.0.0.1", resolve));
  relay.down = () => {
    for (const socket of sockets) {
      socket.destroy();
    }
    return new Promise((resolve) => server.close(resolve));
  };
  await relay.up();
  relay.port = server.address().port;
  return relay;
}

/** `orthrus server` on the configuration of the example. It can be stopped and started again. */
async function startOrthrus(ports, options) {
  const env = {
    ...process.env,
    ORTHRUS_HTTP: String(ports.orthrus),
    ORTHRUS_GRPC: String(ports.orthrusGrpc),
    ISSUER_PORT: String(ports.issuer),
  };
  let child;
  let output = "";
  const start = async () => {
    child = spawn(process.execPath, [inRoot("bin", "orthrus.js"), "server", ...options], {
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
  /** Lets it hang, as a process that gets no time; and go on. */
  const pause = () => child.kill("SIGSTOP");
  const resume = () => child.kill("SIGCONT");
  return { start, stop, pause, resume, output: () => output };
}

const HOP_BY_HOP = ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/** What Traefik sets, and believes nobody else about (`pkg/middlewares/forwardedheaders`). */
const FORWARDED =
  /^x-(forwarded-(proto|scheme|for|host|port|server|uri|method|prefix|tls-client-cert(-info)?)|scheme|real-ip)$/;

/** A path as the entry point makes it: its letters decoded, other encodings in capitals, without dot segments and doubled slashes. */
function sanitized(path) {
  const normal = path.replace(/%[0-9a-f]{2}/gi, (code) => {
    const char = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return /[\w.~-]/.test(char) ? char : code.toUpperCase();
  });
  const clean = posix.normalize(normal);
  return clean.startsWith("/") ? clean : `/${clean}`;
}

/**
 * Asks as Traefik does (3.7: `pkg/server/server_entrypoint_tcp.go`, `pkg/middlewares/forwardedheaders`, `pkg/middlewares/auth/forward.go`), with the
 * options of `traefik/`: there is no package of Traefik to run.
 */
async function startTraefik({ orthrus, origin }, running) {
  const read = (name) => parseYaml(readFileSync(join(FOLDER, "traefik", name), "utf8"));
  const { sanitizePath, underscoreHeadersStrategy } = read("traefik.yaml").entryPoints.web.http;
  const { routers, middlewares } = read("dynamic.yaml").http;
  assert.deepEqual(routers.all.middlewares, ["clean", "orthrus"]);
  const { address, trustForwardHeader, forwardBody, authResponseHeaders } = middlewares.orthrus.forwardAuth;
  assert.deepEqual(
    [sanitizePath, underscoreHeadersStrategy, trustForwardHeader, forwardBody],
    [true, "delete", false, false],
    "this client knows no other way",
  );
  const deleted = Object.keys(middlewares.clean.headers.customRequestHeaders).map((name) => name.toLowerCase());

  const server = createServer({ maxHeaderSize: 1 << 20 }, async (request, response) => {
    const hosts = request.headersDistinct.host ?? [""];
    // An absolute URL names the host, and `Host` does not.
    const { host = hosts[0], rest } = /^http:\/\/(?<host>[^/]*)(?<rest>.*)$/.exec(request.url)?.groups ?? {
      rest: request.url,
    };
    if (hosts.length > 1 || rest.includes("#") || /%(?![0-9a-f]{2})/i.test(rest)) {
      response.writeHead(400).end();
      return;
    }
    const [, path, query] = /^([^?]*)(.*)$/s.exec(rest);
    const uri = sanitized(path) + query;

    const named = (request.headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
    const upgrade = named.includes("upgrade") ? request.headersDistinct.upgrade : undefined;
    const kept = Object.entries(request.headersDistinct).filter(
      ([name]) => !name.includes("_") && !FORWARDED.test(name) && !named.includes(name) && name !== "connection",
    );
    const headers = {
      ...Object.fromEntries(kept),
      ...(upgrade === undefined ? {} : { connection: "Upgrade", upgrade }),
      host,
      "x-forwarded-host": host,
      "x-forwarded-port": "80",
      "x-forwarded-proto": "http",
      "x-forwarded-server": "traefik",
      "x-real-ip": request.socket.remoteAddress,
    };
    for (const name of deleted) {
      delete headers[name];
    }

    const asked = {
      ...headers,
      "x-forwarded-for": request.socket.remoteAddress,
      "x-forwarded-method": request.method,
      "x-forwarded-uri": uri,
    };
    for (const name of [...HOP_BY_HOP, "content-length"]) {
      delete asked[name];
    }
    const answer = await send({ port: orthrus, path: new URL(address).pathname, headers: asked }).catch(
      () => undefined,
    );
    if (answer === undefined) {
      response.writeHead(500).end();
      return;
    }
    if (answer.status < 200 || answer.status >= 300) {
      const told = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
      response.writeHead(answer.status, Object.fromEntries(told)).end(answer.body);
      return;
    }
    const passed = { ...headers, "x-forwarded-for": request.socket.remoteAddress };
    for (const name of authResponseHeaders.map((name) => name.toLowerCase())) {
      delete passed[name];
      if (answer.headers[name] !== undefined) {
        passed[name] = answer.headers[name];
      }
    }
    const sent = httpRequest({ port: origin, method: request.method, path: uri, headers: passed }, (answered) => {
      const back = Object.entries(answered.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
      response.writeHead(answered.statusCode, Object.fromEntries(back));
      answered.pipe(response);
    });
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
    // Traefik waits for 30 seconds.
    const sent = httpRequest({ port, path, headers, host: "127.0.0.1", timeout: 5000 }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      );
      answer.on("error", reject);
    });
    sent.on("timeout", () => sent.destroy(new Error("nobody answers")));
    sent.on("error", reject);
    sent.end();
  });
}

/**
 * Sends a request as it is written, byte by byte: no library puts it right. `behind` comes after it, on the same connection, and `tls` are options of
 * `tls.connect`, where it is by TLS. Resolves to `{ status, headers, body }`; a connection that is
 * closed without an answer has the status 0.
 */
export function raw(
  port,
  {
    method = "GET",
    target,
    headers = [],
    body = "",
    version = "1.1",
    hosts = ["app.example.com"],
    connection = "close",
    behind = "",
    tls,
  },
) {
  const lines = [
    `${method} ${target} HTTP/${version}`,
    ...hosts.map((host) => `Host: ${host}`),
    `Connection: ${connection}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  if (body !== "") {
    lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  }
  return new Promise((resolve) => {
    const chunks = [];
    const write = () => socket.write(`${lines.join("\r\n")}\r\n\r\n${body}${behind}`, "latin1");
    const socket =
      tls === undefined
        ? connect(port, "127.0.0.1", write)
        : connectByTls({ port, host: "127.0.0.1", servername: "app.example.com", ...tls }, write);
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
