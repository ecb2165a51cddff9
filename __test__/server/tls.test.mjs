/** TLS: with certificates of the server alone, of clients as well, and when they are renewed. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { describe, test } from "node:test";
import { certificate, certificates, LOCAL } from "./certificates.mjs";
import { grpc } from "./clients/index.mjs";
import { reflectedClient } from "./grpc.mjs";
import { ROOT, startServer, until } from "./support.mjs";

const POLICIES = join(ROOT, "policies");

/** The status of health, and the certificate of the server. Rejects where there is no connection. */
function health(address, options) {
  return new Promise((resolve, reject) => {
    const sent = request(`https://${address}/_cerbos/health`, { agent: false, ...options }, (response) => {
      const { subject, fingerprint256 } = response.socket.getPeerCertificate();
      response.resume().on("end", () => resolve({ status: response.statusCode, name: subject.CN, fingerprint256 }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** The code of a call of health over gRPC. */
function healthCode(address, credentials) {
  const client = new grpc.Client(address, credentials);
  const same = (value) => value;
  return new Promise((resolve) => {
    const path = "/grpc.health.v1.Health/Check";
    const options = { deadline: Date.now() + 5000 };
    client.makeUnaryRequest(path, same, same, Buffer.alloc(0), new grpc.Metadata(), options, (error) => {
      client.close();
      resolve(error === null ? 0 : error.code);
    });
  });
}

// Two of them wait until files are looked at again, which is each 10 seconds.
describe("TLS", { concurrency: true }, () => {
  test("serves HTTP and gRPC", async (t) => {
    const { ca, server } = certificates(t);
    const { http, grpc: address } = await startServer(t, POLICIES, { server: { tls: server } });
    const root = readFileSync(ca.cert);
    const { status, name } = await health(http, { ca: root });
    assert.deepEqual({ status, name }, { status: 200, name: "localhost" });
    const client = await reflectedClient(address, ["cerbos.svc.v1.CerbosService"], grpc.credentials.createSsl(root));
    const { code } = await client.call("cerbos.svc.v1.CerbosService", "ServerInfo", {});
    client.close();
    assert.equal(code, 0);
    await assert.rejects(fetch(`http://${http}/_cerbos/health`), "nothing is served without it");
    const metadata = await new Promise((resolve) => {
      request(`https://${http}/.well-known/authzen-configuration`, { ca: root }, (response) => {
        response.on("data", (data) => resolve(JSON.parse(data)));
      }).end();
    });
    assert.equal(metadata.policy_decision_point, `https://${http}`);
  });

  test("lets in nobody without a certificate, where those are asked for", async (t) => {
    const { ca, server, client, stranger } = certificates(t);
    const tls = { ...server, caCert: ca.cert };
    const { http } = await startServer(t, POLICIES, { server: { tls } });
    const root = readFileSync(ca.cert);
    const files = ({ cert, key }) => ({ ca: root, cert: readFileSync(cert), key: readFileSync(key) });
    assert.equal((await health(http, files(client))).status, 200);
    await assert.rejects(health(http, { ca: root }));
    await assert.rejects(health(http, files(stranger)));
  });

  test("reads certificates again", async (t) => {
    const { folder, ca, server } = certificates(t);
    const { http, events } = await startServer(t, POLICIES, { server: { tls: server } });
    const root = readFileSync(ca.cert);
    const before = await health(http, { ca: root });
    certificate(folder, "server", { subject: "/CN=renewed", extensions: LOCAL, ca });
    await until(() => events.some(({ logger }) => logger === "orthrus.tls"), 15_000);
    const { name, fingerprint256 } = await health(http, { ca: root });
    assert.equal(name, "renewed");
    assert.notEqual(fingerprint256, before.fingerprint256);
  });

  test("lets in nobody without a certificate over gRPC either", async (t) => {
    const { ca, server, client, stranger } = certificates(t);
    const tls = { ...server, caCert: ca.cert };
    const { grpc: address } = await startServer(t, POLICIES, { server: { tls } });
    const root = readFileSync(ca.cert);
    const call = (...pair) => healthCode(address, grpc.credentials.createSsl(root, ...pair));
    const files = ({ cert, key }) => [readFileSync(key), readFileSync(cert)];
    assert.equal(await call(...files(client)), 0);
    assert.equal(await call(), 14);
    assert.equal(await call(...files(stranger)), 14);
    assert.equal(await healthCode(address, grpc.credentials.createInsecure()), 14);
  });

  test("who has a certificate stands in the audit log", async (t) => {
    const { folder, ca, server, client } = certificates(t);
    const path = join(folder, "audit.log");
    const tls = { ...server, caCert: ca.cert };
    const audit = { enabled: true, file: { path } };
    const { grpc: address, server: running } = await startServer(t, POLICIES, { server: { tls }, audit });
    const credentials = grpc.credentials.createSsl(
      readFileSync(ca.cert),
      readFileSync(client.key),
      readFileSync(client.cert),
    );
    const asking = await reflectedClient(address, ["cerbos.svc.v1.CerbosService"], credentials);
    await asking.call("cerbos.svc.v1.CerbosService", "CheckResources", {
      principal: { id: "ann", roles: ["user"] },
      resources: [{ resource: { kind: "document", id: "1" }, actions: ["view"] }],
    });
    asking.close();
    await running.stop();
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    assert.equal(lines.length, 2);
    for (const line of lines) {
      assert.match(JSON.parse(line).peer.authInfo, /CN=billing/);
    }
  });

  test("refuses TLS that is too old", async (t) => {
    const { ca, server } = certificates(t);
    const { http } = await startServer(t, POLICIES, { server: { tls: server } });
    const options = { ca: readFileSync(ca.cert), ciphers: "DEFAULT:@SECLEVEL=0" };
    assert.equal((await health(http, { ...options, minVersion: "TLSv1.2", maxVersion: "TLSv1.2" })).status, 200);
    await assert.rejects(health(http, { ...options, minVersion: "TLSv1", maxVersion: "TLSv1.1" }));
  });

  test("goes on with the certificates that it has, where others are broken", async (t) => {
    const { ca, server } = certificates(t);
    const { http, events } = await startServer(t, POLICIES, { server: { tls: server } });
    const root = readFileSync(ca.cert);
    const before = await health(http, { ca: root });
    writeFileSync(server.cert, "-----BEGIN CERTIFICATE-----\nbroken");
    await until(() => events.some(({ logger }) => logger === "orthrus.tls"), 15_000);
    const [{ level, fields }] = events.filter(({ logger }) => logger === "orthrus.tls");
    assert.equal(level, "error");
    assert.match(fields.error, /server\.crt/);
    assert.equal((await health(http, { ca: root })).fingerprint256, before.fingerprint256);
  });

  test("says which file is wrong", async (t) => {
    const { folder, server } = certificates(t);
    const start = (tls) => startServer(t, POLICIES, { server: { tls } });
    const missing = join(folder, "none.crt");
    await assert.rejects(start({ ...server, cert: missing }), ({ code, path, message }) => {
      assert.deepEqual([code, path], ["OPTIONS_INVALID", "server.tls.cert"]);
      return message.includes("none.crt");
    });
    await assert.rejects(start({ ...server, key: server.cert }), ({ path }) => path === "server.tls.key");
    await assert.rejects(start({ ...server, caCert: server.key }), ({ path }) => path === "server.tls.caCert");
  });
});
