/** What clients are told when there is no route, and when something goes wrong: the status in words, and nothing of the reason. */

import { STATUS_CODES } from "node:http";

const tell = (res, status) => res.status(status).json({ error: STATUS_CODES[status].toLowerCase() });

export function notFound(_req, res) {
  tell(res, 404);
}

/** Express knows an error handler by its four parameters. */
export function answerError(error, req, res, next) {
  if (res.headersSent) {
    next(error);
    return;
  }
  // Mistakes of the client, such as a body that is no JSON, say so by their status; an `UndecidedError` has 500 or 503.
  const status = STATUS_CODES[error?.status] === undefined ? 500 : error.status;
  if (status >= 500) console.error(`${req.method} ${req.originalUrl} failed:`, error);
  tell(res, status);
}
