/** What is protected: answers with what it was asked. */

export default {
  async fetch(request) {
    const { pathname, search } = new URL(request.url);
    return Response.json({
      method: request.method,
      path: pathname + search,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    });
  },
};
