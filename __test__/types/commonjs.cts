/** The types that `require` gives. Compiled, never run. */

import orthrus = require("orthrus");
import audit = require("orthrus/audit");
import clerk = require("orthrus/clerk");
import express = require("orthrus/express");
import next = require("orthrus/next");
import jwt = require("orthrus/jwt");
import opentelemetry = require("orthrus/opentelemetry");
import workos = require("orthrus/workos");

export const engine: orthrus.Orthrus = orthrus.Orthrus.openSync("policies", { strictEvaluation: true });
export const error: orthrus.IdentityError = new clerk.IdentityError("IDENTITY_INVALID", "x");
export const same: orthrus.Principal = workos.principalFromWorkOS({ user: null });
export const guard: express.AuthzHandler = express.authorize({
  engine,
  principal: null,
  resource: { kind: "document", id: "1" },
  action: "view",
});
export const config: object = next.withOrthrus({ distDir: "out" });
export const verifier: jwt.JwtVerifier = jwt.createVerifier({ disableVerification: true });
export const refused: orthrus.JwtError = new jwt.JwtError("JWT_EXPIRED", "x");
export const told: orthrus.Orthrus = opentelemetry.instrument(engine);
export const onDecision: orthrus.Options["onDecision"] = audit.auditLog({ write: audit.consoleWriter() });
export const lost: orthrus.AuditError = new audit.AuditError("AUDIT_DROPPED", "x", 1);
