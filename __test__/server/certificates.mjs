/** Certificates for tests, by openssl. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { temporary } from "./support.mjs";

/** A certificate by openssl, signed by itself or by `ca`. */
export function certificate(folder, name, { subject, extensions, ca }) {
  const path = (kind) => join(folder, `${name}.${kind}`);
  const signed = ca === undefined ? [] : ["-CA", ca.cert, "-CAkey", ca.key];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync(
    "openssl",
    [
      ...args,
      ...["-keyout", path("key"), "-out", path("crt"), "-subj", subject],
      ...extensions.flatMap((extension) => ["-addext", extension]),
      ...signed,
    ],
    { stdio: "ignore" },
  );
  return { cert: path("crt"), key: path("key") };
}

export const CA = ["basicConstraints=critical,CA:TRUE"];
const NO_CA = "basicConstraints=critical,CA:FALSE";
export const LOCAL = ["subjectAltName=IP:127.0.0.1,DNS:localhost", NO_CA];

export function certificates(t) {
  const folder = temporary(t);
  const ca = certificate(folder, "ca", { subject: "/CN=orthrus test", extensions: CA });
  const server = certificate(folder, "server", { subject: "/CN=localhost", extensions: LOCAL, ca });
  const client = certificate(folder, "client", {
    subject: "/O=Acme/CN=billing",
    extensions: ["subjectAltName=URI:spiffe://acme/billing", NO_CA],
    ca,
  });
  const stranger = certificate(folder, "stranger", { subject: "/CN=stranger", extensions: LOCAL });
  return { folder, ca, server, client, stranger };
}
