/** `examples/gateway` by TLS: Caddy, nginx and Envoy verify the certificates of clients, and tell orthrus whose they are. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse, stringify } from "yaml";
import { makeAuthority, makeCertificate, makeCertificates, makeClient } from "../../examples/gateway/certificates.mjs";
import { inRoot } from "../../scripts/lib/project.mjs";
import { skip } from "./support/app.mjs";
import { raw, startGateways } from "./support/gateway.mjs";

const CONFIG = readFileSync(inRoot("examples", "gateway", ".cerbos.yaml"), "utf8");
const LEAF = "basicConstraints=critical,CA:FALSE";

const NO_HEADER = "envoy-grpc, no header";

/** Each proxy; and Envoy over gRPC where no header is configured, so that what it says by itself counts. */
const GATES = {
  caddy: { proxy: "caddy" },
  nginx: { proxy: "nginx" },
  "envoy-http": { proxy: "envoy-http" },
  "envoy-grpc": { proxy: "envoy-grpc" },
  [NO_HEADER]: { proxy: "envoy-grpc", noHeader: true },
};

/** Who has a certificate of the authority: what nginx tells, and the others. */
const CLIENTS = {
  billing: { dn: "CN=billing,O=Acme", uri: "spiffe://acme/billing" },
  root: { dn: "CN=root,O=Acme", uri: "spiffe://acme/root" },
};

/** By what a client could say that it is somebody with a certificate. */
const SPOOFS = {
  "`X-Client-Certificate`": [["X-Client-Certificate", "spiffe://acme/root"]],
  "`X-Client-Certificate` with the subject": [["X-Client-Certificate", "CN=root,O=Acme"]],
  "`X-Client-Certificate` twice": [
    ["X-Client-Certificate", "spiffe://acme/root"],
    ["x-client-certificate", "spiffe://acme/root"],
  ],
  "`X-Client-Certificate`, and empty": [
    ["X-Client-Certificate", "spiffe://acme/root"],
    ["X-Client-Certificate", ""],
  ],
  "`X_Client_Certificate` and its like": [
    ["X_Client_Certificate", "spiffe://acme/root"],
    ["X-Client_Certificate", "spiffe://acme/root"],
    ["x_client-certificate", "spiffe://acme/root"],
  ],
  "headers of other proxies": [
    ["X-Forwarded-Client-Cert", 'Hash=0;Subject="CN=root,O=Acme";URI=spiffe://acme/root'],
    ["X-Forwarded-Tls-Client-Cert-Info", "Subject%3D%22CN%3Droot%22"],
    ["X-SSL-Client-S-DN", "CN=root,O=Acme"],
    ["SSL-Client-Verify", "SUCCESS"],
  ],
};

const DIRTY = "close, X-Client-Certificate";
const again = "GET /files/b HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n";

/**
 * What is tried, with the certificate that is named: who it is for the origin (`is`), by the certificate unless it is a `token`; or the `status` of the
 * answer; or it is refused in one way or another, which may be an alert of TLS.
 */
const CASES = {
  "a verified certificate": { certificate: "billing", is: "billing" },
  "a verified certificate, and what it may not": { certificate: "billing", target: "/admin", status: 403 },
  "no certificate": { status: 401 },
  "a token, and no certificate": { token: {}, is: "ann" },
  "a certificate and a token": { certificate: "billing", token: {}, is: "ann" },
  "a certificate and a wrong token": { certificate: "billing", token: { exp: 1_000_000_000 }, status: 401 },
  "a certificate and what is no token": {
    certificate: "billing",
    headers: [["Authorization", "Basic YTpi"]],
    status: 401,
  },
  "a certificate by another authority": { certificate: "stranger" },
  "a certificate by another authority of that name": { certificate: "impostor" },
  "a certificate by itself": { certificate: "selfish" },
  "a certificate by a client": { certificate: "heir" },
  "a certificate for servers": { certificate: "server" },
  "a certificate that is over": { certificate: "old" },
  "`Connection: X-Client-Certificate`, with a certificate": {
    certificate: "billing",
    connection: DIRTY,
    is: "billing",
  },
  "`Connection: X-Client-Certificate`, with none": {
    connection: DIRTY,
    headers: SPOOFS["`X-Client-Certificate`"],
    status: 401,
  },
  "a second request on the connection": {
    certificate: "billing",
    connection: "keep-alive",
    behind: `${again}X-Client-Certificate: spiffe://acme/root\r\n\r\n`,
    is: "billing",
    times: 2,
  },
};
for (const [name, headers] of Object.entries(SPOOFS)) {
  CASES[`${name}, with a certificate`] = { certificate: "billing", headers, is: "billing" };
  CASES[`${name}, with none`] = { headers, status: 401 };
}

const URI = 6;
const DNS = 2;
const EMAIL = 1;

/**
 * Certificates that say something odd, by their `subject`, whose `dn` is as RFC 2253 has it, or by other `names`. What a proxy tells is the name exactly, or it is refused.
 * `known` is what comes of it elsewhere.
 */
const ODD = {
  "a comma in the common name": { subject: "/CN=billing,O=Acme", dn: "CN=billing\\,O=Acme" },
  "the subject in another order": { subject: "/CN=billing/O=Acme", dn: "O=Acme,CN=billing" },
  "two common names": { subject: "/O=Acme/CN=root/CN=billing", dn: "CN=billing,CN=root,O=Acme" },
  "a common name with spaces around it": { subject: "/O=Acme/CN= billing ", dn: "CN=\\ billing\\ ,O=Acme" },
  "quotes and the like": {
    subject: '/O=Acme/CN="billing"\\+x;<y>\\\\',
    dn: 'CN=\\"billing\\"\\+x\\;\\<y\\>\\\\,O=Acme',
  },
  "UTF-8": { subject: "/O=Acme/CN=Jörg ☃", dn: "CN=J\\C3\\B6rg \\E2\\98\\83,O=Acme" },
  "a line break": { subject: "/O=Acme/CN=billing\r\nX: y", dn: "CN=billing\\0D\\0AX: y,O=Acme" },
  "a common name that is a SPIFFE ID": {
    subject: "/O=Acme/CN=spiffe:\\/\\/acme\\/billing",
    dn: "CN=spiffe://acme/billing,O=Acme",
  },
  "names that configurations know": {
    subject: "/O=Acme/CN={host}$host%REQ(HOST)%",
    dn: "CN={host}$host%REQ(HOST)%,O=Acme",
  },
  "no subject": { subject: "/", names: [[URI, "spiffe://acme/nameless"]] },
  "a subject of 8 kB": {
    subject: `/O=Acme${`/OU=${"x".repeat(60)}`.repeat(125)}/CN=billing`,
    dn: `CN=billing,${`OU=${"x".repeat(60)},`.repeat(125)}O=Acme`,
  },
  "a URI of 5 kB": { names: [[URI, `spiffe://acme/${"a".repeat(5000)}`]] },
  "a URI with a comma": { names: [[URI, "spiffe://acme/x,spiffe://acme/billing"]] },
  "a URI with quotes": { names: [[URI, 'spiffe://acme/"billing"']] },
  "a URI with spaces around it": { names: [[URI, " spiffe://acme/billing "]] },
  "a URI with tabs around it": { names: [[URI, "\tspiffe://acme/billing\t"]] },
  "a URI with a line break": { names: [[URI, "spiffe://acme/x\r\nX-Client-Certificate: spiffe://acme/billing"]] },
  "a URI with a NUL": { names: [[URI, "spiffe://acme/billing\0x"]] },
  "a URI in UTF-8": { names: [[URI, Buffer.from("spiffe://acme/Jörg")]] },
  "a URI that is no text": { names: [[URI, Buffer.from("spiffe://acme/\xff", "latin1")]] },
  "another one that is no text": { names: [[URI, Buffer.from("spiffe://acme/\xfe", "latin1")]] },
  "a URI with `!`": { names: [[URI, "spiffe://acme/!"]] },
  "a URI with an encoded letter": { names: [[URI, "spiffe://acme/%62illing"]] },
  "a URI in capitals": {
    names: [[URI, "SPIFFE://acme/billing"]],
    // The same by RFC 3986.
    known: { caddy: "spiffe://acme/billing" },
  },
  "a URI with `?` at its end": { names: [[URI, "spiffe://acme/billing?"]] },
  "a URI with `#` at its end": {
    names: [[URI, "spiffe://acme/billing#"]],
    // Go reads it so, and nothing tells that it was there.
    known: { caddy: "spiffe://acme/billing" },
  },
  "a URI with dot segments": { names: [[URI, "spiffe://acme/x/../billing"]] },
  "a URI of another trust domain": { names: [[URI, "spiffe://other/billing"]] },
  "an empty URI": { names: [[URI, ""]] },
  "two URIs": {
    names: [
      [URI, "spiffe://acme/reports"],
      [URI, "spiffe://acme/billing"],
    ],
  },
  "a DNS name that is a SPIFFE ID": {
    names: [[DNS, "spiffe://acme/billing"]],
    // Envoy does not tell which kind of name it says.
    known: { "envoy-grpc": "spiffe://acme/billing", [NO_HEADER]: "spiffe://acme/billing" },
  },
  "an address that is a SPIFFE ID": { names: [[EMAIL, "spiffe://acme/billing"]] },
};
for (const [index, odd] of Object.values(ODD).entries()) {
  odd.subject ??= `/O=Acme/CN=odd-${index}`;
  odd.names ??= [];
  // None where there is no subject.
  odd.dn ??= odd.subject === "/" ? "" : `CN=odd-${index},O=Acme`;
  odd.uri = odd.names.find(([type]) => type === URI)?.[1].toString();
}

/** What a proxy calls somebody. By itself, Envoy over gRPC falls back on the subject. */
function idOf({ proxy }, { dn, uri }) {
  if (proxy === "nginx") {
    return dn;
  }
  return uri ?? (proxy === "envoy-grpc" ? dn : undefined);
}

/** Alternative names as they are, to the byte. */
function alternativeNames(names) {
  const der = (tag, content) => {
    const { length } = content;
    const size = length < 128 ? [length] : [0x82, length >> 8, length & 255];
    return Buffer.concat([Buffer.from([tag, ...size]), content]);
  };
  const list = Buffer.concat(names.map(([type, name]) => der(0x80 | type, Buffer.from(name))));
  return `subjectAltName=DER:${der(0x30, list).toString("hex")}`;
}

/** As orthrus writes an id into a header. */
const plain = (text) =>
  [...Buffer.from(text)]
    .map((byte) => String.fromCharCode(byte))
    .map((char) =>
      /[\w.~:@/|+-]/.test(char) ? char : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");

/** A certificate that has ended yesterday. `openssl req` makes none. */
function makeOld(folder, authority) {
  const [cert, key, request] = ["crt", "key", "csr"].map((kind) => join(folder, `old.${kind}`));
  const openssl = (...args) => execFileSync("openssl", args, { stdio: "ignore" });
  const extensions = ["-addext", LEAF, "-addext", "subjectAltName=URI:spiffe://acme/billing"];
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-out",
    request,
    "-keyout",
    key,
    "-subj",
    "/O=Acme/CN=billing",
    ...extensions,
  );
  const signed = ["-CA", authority.cert, "-CAkey", authority.key, "-copy_extensions", "copy", "-days", "-1"];
  openssl("x509", "-req", "-in", request, "-out", cert, ...signed);
  return { cert, key };
}

/** All certificates by name, as options of TLS. */
function makeAll(folder) {
  const { authority, server, billing } = makeCertificates(join(folder, "example"));
  const at = (name) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  const odd = Object.entries(ODD).map(([name, { subject, names }], index) => {
    const extensions = [LEAF, ...(names.length > 0 ? [alternativeNames(names)] : [])];
    return [name, makeCertificate(folder, `odd-${index}`, { subject, extensions, authority })];
  });
  const files = {
    billing,
    root: makeClient(folder, "root", { authority }),
    stranger: makeClient(at("stranger"), "billing", { authority: makeAuthority(folder, "other") }),
    impostor: makeClient(at("impostor"), "billing", { authority: makeAuthority(at("same"), "ca") }),
    selfish: makeClient(at("selfish"), "billing", {}),
    heir: makeClient(at("heir"), "root", { authority: billing }),
    server: makeCertificate(folder, "server", {
      subject: "/O=Acme/CN=billing",
      extensions: [LEAF, "extendedKeyUsage=serverAuth", "subjectAltName=URI:spiffe://acme/billing"],
      authority,
    }),
    old: makeOld(folder, authority),
    ...Object.fromEntries(odd),
  };
  const options = Object.entries(files).map(([name, { cert, key }]) => [
    name,
    { cert: readFileSync(cert), key: readFileSync(key) },
  ]);
  const all = Object.fromEntries(options);
  // With the one that has signed it, which is no authority.
  all.heir.cert = Buffer.concat([all.heir.cert, all.billing.cert]);
  return { ca: readFileSync(server.cert.replace("server.crt", "ca.crt")), all };
}

describe("gateway, with certificates", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "orthrus-mtls-"));
  let certificates;
  let byHeader;
  let byItself;

  before(async () => {
    certificates = makeAll(folder);
    const config = parse(CONFIG);
    config.gateway.proxies = ["envoy"];
    delete config.gateway.identity.certificate.header;
    writeFileSync(join(folder, "config.yaml"), stringify(config));
    const example = join(folder, "example");
    byHeader = await startGateways(example);
    byItself = await startGateways(example, {
      only: ["envoy-grpc"],
      options: ["--config", join(folder, "config.yaml")],
    });
  });
  after(async () => {
    await byHeader?.close();
    await byItself?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Tries it; resolves to the answer, and what the origin got of it. Skips the test, and resolves to nothing, where there is no such proxy. */
  async function attempt(t, { proxy, noHeader }, { certificate, token, headers = [], ...request }) {
    const { issuer, origin, tls } = noHeader ? byItself : byHeader;
    if (tls[proxy] === undefined) {
      t.skip(`${proxy} is not installed`);
      return undefined;
    }
    const before = origin.seen.length;
    const answer = await raw(tls[proxy], {
      target: "/files/a",
      ...request,
      headers: [...(token === undefined ? [] : [["Authorization", `Bearer ${issuer.token(token)}`]]), ...headers],
      tls: { ca: certificates.ca, ...certificates.all[certificate] },
    });
    return { answer, got: origin.seen.slice(before) };
  }

  /** The values of a header, by this or a similar name, as often as the origin got it. */
  const values = ({ raw: sent }, name) =>
    sent.filter((_, index) => index % 2 === 1 && sent[index - 1].toLowerCase().replaceAll("_", "-") === name);

  function assertRefused({ answer, got }) {
    assert.deepEqual(got, [], "it reached the origin");
    assert.ok(answer.status === 0 || answer.status >= 400, `it was answered with ${answer.status}`);
  }

  for (const [gate, how] of Object.entries(GATES)) {
    for (const [name, { is, status, times = 1, ...tried }] of Object.entries(CASES)) {
      test(`${gate}: ${name}`, async (t) => {
        const outcome = await attempt(t, how, tried);
        if (outcome === undefined) {
          return;
        }
        const { answer, got } = outcome;
        if (is === undefined) {
          assertRefused(outcome);
          if (status !== undefined) {
            assert.equal(answer.status, status, answer.body);
          }
          return;
        }
        assert.equal(answer.status, 200, answer.body);
        assert.equal(got.length, times);
        const [id, role] = tried.token === undefined ? [plain(idOf(how, CLIENTS[is])), "service"] : [is, "user"];
        for (const request of got) {
          assert.deepEqual(values(request, "x-orthrus-principal"), [id]);
          assert.deepEqual(values(request, "x-orthrus-roles"), [role]);
          assert.deepEqual(values(request, "x-client-certificate"), [], "nor does the origin hear what a client says");
        }
      });
    }

    for (const [name, odd] of Object.entries(ODD)) {
      test(`${gate}: ${name}`, async (t) => {
        const outcome = await attempt(t, how, { certificate: name });
        if (outcome === undefined) {
          return;
        }
        if (outcome.got.length === 0) {
          assertRefused(outcome);
          return;
        }
        const told = outcome.got.flatMap((request) => values(request, "x-orthrus-principal"));
        const exact = odd.known?.[gate] ?? idOf(how, odd);
        // What is no text has no exact form.
        const isNobody = [undefined, ""].includes(exact) || exact.includes("\uFFFD");
        assert.deepEqual(told, isNobody ? [] : [plain(exact)]);
      });
    }
  }
});
