/** A server that speaks as much of S3 as reading an object takes: GetObject with conditions, and its errors, by RFC 9110 and S3's API. */

import { createHash } from "node:crypto";
import { createServer } from "node:http";

const ERRORS = { 404: "NoSuchKey", 403: "AccessDenied", 503: "SlowDown" };

/**
 * Objects by `/Bucket/Key`. `failWith` is a status to answer with in place of them; `tamper` may change a response before it is
 * sent. `requests` holds what came.
 */
export async function s3Server() {
  const state = { objects: new Map(), requests: [], failWith: undefined, tamper: undefined };
  const server = createServer((request, response) => {
    state.requests.push(request);
    const { pathname } = new URL(request.url, "http://localhost");
    const object = state.objects.get(decodeURIComponent(pathname));
    const status = state.failWith ?? (object === undefined ? 404 : 200);
    if (status !== 200) {
      const xml = `<?xml version="1.0"?><Error><Code>${ERRORS[status]}</Code><Message>no ${pathname}</Message></Error>`;
      response.writeHead(status, { "content-type": "application/xml" }).end(xml);
      return;
    }
    const etag = `"${createHash("md5").update(object).digest("hex")}"`;
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    if (state.tamper !== undefined) {
      state.tamper(response, object, etag);
      return;
    }
    response.writeHead(200, { etag, "content-length": object.length, "content-type": "application/octet-stream" });
    response.end(object);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.origin = `http://127.0.0.1:${server.address().port}`;
  state.close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return state;
}
