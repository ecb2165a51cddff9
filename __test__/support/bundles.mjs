/** Servers and outcomes for tests of bundles. */

import { createServer } from "node:http";

/** A server on this machine; `respond` may be replaced, and `requests` holds what came. */
export async function bundleServer(respond) {
  const state = { respond, requests: [] };
  const server = createServer((request, response) => {
    state.requests.push(request);
    state.respond(request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.origin = `http://127.0.0.1:${server.address().port}`;
  state.url = `${state.origin}/policies.orb`;
  state.close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return state;
}

/** Answers with bytes and an ETag (`null` for none), and with 304 to who has them. */
export const bundle =
  (bytes, etag = '"1"', headers = {}) =>
  (request, response) => {
    if (etag !== null && request.headers["if-none-match"] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    response.writeHead(200, { ...(etag === null ? {} : { etag }), ...headers }).end(bytes);
  };

/** Answers with a status. */
export const status =
  (code, headers = {}) =>
  (_request, response) =>
    response.writeHead(code, headers).end("no bundle");

/** Answers with fewer bytes than announced. */
export const cutOff = (bytes) => (_request, response) => {
  response.writeHead(200, { "content-length": bytes.length + 10 });
  response.write(bytes, () => response.destroy());
};

/** Never answers. */
export const silent = () => undefined;

/** Sends bytes without end. */
export const endless = (_request, response) => {
  response.writeHead(200);
  const chunk = Buffer.alloc(64 * 1024, 7);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
};

/** What a promise comes to: its value, or the code and reason of its error. */
export const outcome = (promise) =>
  promise.then(
    (value) => value,
    ({ code, reason }) => (reason === undefined ? code : `${code} ${reason}`),
  );

/** Waits until something is so; fails the test by its own timeout. */
export async function until(condition) {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
