/** What clients are told when there is no route, and when something goes wrong: the status in words, and nothing of the reason. */

import { STATUS_CODES } from "node:http";
import { UndecidedError } from "orthrus/express";

const tell = (res, status) => res.status(status).json({ error: STATUS_CODES[status].toLowerCase() });

/** A mistake of the client, in the form that Express gives to those that it finds, such as a body that is no JSON. */
export const clientError = (status, message) => Object.assign(new Error(message), { status, expose: true });

export function notFound(_req, res) {
  tell(res, 404);
}

/** Express knows an error handler by its four parameters. */
export function answerError(error, req, res, next) {
  if (res.headersSent) {
    next(error);
    return;
  }
  // Errors of SDKs have a status as well, which is what their provider has told us: it is not for the client. (A URIError is a
  // parameter of the path that cannot be decoded.)
  const isClients = error?.expose === true || error instanceof URIError;
  if (!isClients) console.error(`${req.method} ${req.originalUrl} failed:`, error);
  tell(res, isClients || error instanceof UndecidedError ? error.status : 500);
}
