/** What stands behind the proxies: it tells what it gets. */

import { createServer } from "node:http";

/** Starts one. Resolves to `{ port, seen, close }`: `seen` are the requests that came, newest last. */
export async function startOrigin(port) {
  const seen = [];
  const server = createServer(async (request, response) => {
    let bytes = 0;
    for await (const chunk of request) {
      bytes += chunk.length;
    }
    const { method, url, headers } = request;
    seen.push({ method, url, headers, raw: request.rawHeaders, bytes });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ method, url, headers, bytes }));
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: server.address().port,
    seen,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
