/** Somebody who visits an example by plain HTTP: keeps cookies, follows no redirect by itself. */

export class Visitor {
  #url;
  #cookies = new Map();

  /** `url` is where the example answers; `cookies` go from name to value. */
  constructor(url, cookies = {}) {
    this.#url = url;
    this.#cookies = new Map(Object.entries(cookies));
  }

  /** The cookies that it has, from name to value. */
  get cookies() {
    return Object.fromEntries(this.#cookies);
  }

  /** Requests a path or address, as a browser asks for a page unless `options` say otherwise. */
  async request(target, { headers = {}, ...options } = {}) {
    const response = await fetch(new URL(target, this.#url), {
      redirect: "manual",
      ...options,
      headers: { accept: "text/html", cookie: this.#cookieHeader(), ...headers },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const name = pair.slice(0, pair.indexOf("="));
      const value = decodeURIComponent(pair.slice(name.length + 1));
      if (value === "" || /max-age=0\b/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }

  #cookieHeader() {
    return [...this.#cookies].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("; ");
  }
}

/** The text of a page as a person reads it, without markup and scripts. */
export function textOf(html) {
  return html
    .replace(/<(script|style)\b[\s\S]*?<\/\1>/g, "")
    .replace(/<!--.*?-->/g, "")
    .replace(/<[^>]+>/g, " ")
    .replace(/&#x27;/g, "'")
    .replace(/\s+/g, " ")
    .trim();
}
