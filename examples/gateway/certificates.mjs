/** Makes certificates by openssl. For trying and tests. */

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const AUTHORITY = ["basicConstraints=critical,CA:TRUE"];
const LEAF = ["basicConstraints=critical,CA:FALSE"];

/** Makes a certificate and its key in `folder`, signed by `authority` or by itself. Returns the paths of both. */
export function makeCertificate(folder, name, { subject, extensions, authority }) {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-utf8"],
      ...["-out", cert, "-keyout", key, "-subj", subject],
      ...extensions.flatMap((extension) => ["-addext", extension]),
      ...(authority === undefined ? [] : ["-CA", authority.cert, "-CAkey", authority.key]),
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  return { cert, key };
}

/** An authority that signs the certificates of clients, or of the proxies. */
export const makeAuthority = (folder, name) =>
  makeCertificate(folder, name, { subject: `/CN=${name}`, extensions: AUTHORITY });

/** The certificate of a client that is known by `uri`. */
export const makeClient = (
  folder,
  name,
  { subject = `/O=Acme/CN=${name}`, uri = `spiffe://acme/${name}`, authority },
) => makeCertificate(folder, name, { subject, extensions: [...LEAF, `subjectAltName=URI:${uri}`], authority });

/** What the configurations name: `ca.crt`, which signs clients, `server.crt` of the proxies, and a client, `billing.crt`. */
export function makeCertificates(folder) {
  mkdirSync(folder, { recursive: true });
  const authority = makeAuthority(folder, "ca");
  const server = makeCertificate(folder, "server", {
    subject: "/CN=localhost",
    extensions: [...LEAF, "subjectAltName=DNS:localhost,DNS:app.example.com,IP:127.0.0.1"],
    authority,
  });
  return { authority, server, billing: makeClient(folder, "billing", { authority }) };
}
