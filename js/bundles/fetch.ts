import { OptionsError } from "../errors.js";
import { isLoopback } from "../tokens/loopback.js";
import {
  type BundleSource,
  type BundleSourceOptions,
  checkLimits,
  type LoadedBundle,
  limitedSource,
  readBounded,
  requireSize,
  Unavailable,
} from "./source.js";

/** Headers of a request. */
export type BundleHeaders = Record<string, string> | Headers;

/** Options of {@link fetchBundle}. */
export interface FetchBundleOptions extends BundleSourceOptions {
  /** Sent with each request, such as `authorization`; a function is asked each time. */
  headers?: BundleHeaders | (() => BundleHeaders | Promise<BundleHeaders>) | undefined;
  /** In place of the global `fetch`: for a service binding, a proxy, an instrumented one. */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
}

/**
 * A bundle that a server has at an `https:` URL, or an `http:` URL of this machine. It is asked with the ETag that it sent, so that
 * a bundle which has not changed does not travel. Redirects are not followed: who answers for the policies is who the URL names.
 *
 * Throws an `OptionsError`.
 */
export function fetchBundle(url: string | URL, options: FetchBundleOptions = {}): BundleSource {
  const limits = checkLimits(options, ["headers", "fetch"]);
  const address = bundleUrl(url);
  const { headers = {}, fetch: send = fetchNow } = options;
  if ((typeof headers !== "object" && typeof headers !== "function") || headers === null) {
    throw new OptionsError("headers", "must be an object from name to value, or a function that returns one");
  }
  if (typeof send !== "function") {
    throw new OptionsError("fetch", "must be a function");
  }
  // A signed URL is a secret; its path is not.
  return limitedSource(`${address.origin}${address.pathname}`, limits, async (previous, signal) => {
    const sent = new Headers(typeof headers === "function" ? await headers() : headers);
    if (previous?.etag !== undefined) {
      sent.set("if-none-match", previous.etag);
    }
    const response = await send(address.href, { headers: sent, redirect: "manual", signal });
    return readResponse(response, previous !== undefined, limits.maxBytes);
  });
}

/** The global function as it is when it is called: programs replace it. */
function fetchNow(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

function bundleUrl(given: unknown): URL {
  let url: URL;
  try {
    url = new URL(String(given));
  } catch (cause) {
    throw new OptionsError("url", "must be a whole URL, such as https://policies.example.com/policies.orb", { cause });
  }
  // Whoever is on the way could keep policies from being replaced, or replace those that nobody signed.
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw new OptionsError("url", "must begin with https:, unless it is on this machine");
  }
  if (url.username !== "" || url.password !== "") {
    throw new OptionsError("url", "must not hold a password: send it by the option headers");
  }
  return url;
}

async function readResponse(
  response: Response,
  mayBeUnchanged: boolean,
  maxBytes: number,
): Promise<LoadedBundle | "unchanged"> {
  try {
    if (response.status === 304 && mayBeUnchanged) {
      await response.body?.cancel();
      return "unchanged";
    }
    requireBundle(response);
    requireSize(Number(response.headers.get("content-length")), maxBytes);
    const bytes = response.body === null ? new Uint8Array() : await readBounded(response.body, maxBytes);
    return { bytes, etag: response.headers.get("etag") ?? undefined };
  } catch (error) {
    response.body?.cancel().catch(() => undefined);
    throw error;
  }
}

function requireBundle({ status, type }: Response): void {
  // Browsers hide where a redirect leads, and its status.
  if (type === "opaqueredirect" || (status >= 300 && status < 400 && status !== 304)) {
    throw new Unavailable("redirect", "the answer is a redirect, which is not followed: name the place it leads to");
  }
  if (status === 404 || status === 410) {
    throw new Unavailable("not-found", `there is none (HTTP ${status})`);
  }
  if (status !== 200) {
    throw new Unavailable("status", `the answer is HTTP ${status}`);
  }
}
