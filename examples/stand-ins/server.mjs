/** A small HTTP server on the loopback interface, which is all that a stand-in needs. */

import { createServer } from "node:http";

/**
 * Serves `routes`, from `"METHOD /path"` to `handler(url, body)` that returns `{ html }`, `{ json }` or `{ redirect }`, with
 * `status` and `cookies` if need be. A route may be asynchronous. Resolves to `{ port, close }`.
 */
export function serve(routes, port = 0) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    const route = routes[`${request.method} ${url.pathname}`];
    const answer = route === undefined ? { status: 404, json: {} } : await route(url, await bodyOf(request));
    const { status = answer.redirect === undefined ? 200 : 302, html, json, redirect, cookies = [] } = answer;
    response.writeHead(status, {
      "content-type": html === undefined ? "application/json" : "text/html; charset=utf-8",
      ...(redirect !== undefined && { location: redirect }),
      "set-cookie": cookies,
      // Clerk sends a visitor who comes from another origin to its own servers first, to look for a session there.
      "referrer-policy": "no-referrer",
    });
    response.end(html ?? (json === undefined ? "" : JSON.stringify(json)));
  });
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    // "localhost" and no address: cookies belong to a host name, and the application has the same.
    server.listen(port, "localhost", () => {
      resolve({
        port: server.address().port,
        close: () =>
          new Promise((done) => {
            server.close(done);
            server.closeAllConnections();
          }),
      });
    });
  });
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : JSON.parse(text);
}
