/** orthrus behind the same face as the PDP: a set of files is loaded or refused, a request is answered in the PDP's JSON. */

import { Orthrus, PolicyError } from "orthrus";
import { Refused } from "./pdp.mjs";

/** The claims of a token as the PDP gives them to policies: times as text, audiences as a list, and nothing that is null. */
export function claims(token) {
  const payload = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
  const time = (seconds) => new Date(Math.trunc(Number(seconds)) * 1000).toISOString().replace(".000Z", "Z");
  const read = {
    aud: (audience) => [audience].flat(),
    exp: time,
    nbf: time,
    iat: time,
  };
  const given = Object.entries(payload).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([name, value]) => [name, read[name]?.(value) ?? value]));
}

/** Loads files by path. Throws `Refused`. */
export function load(files, options) {
  try {
    return new Engine(Orthrus.fromFilesSync(files, { ...options, decodeJWTPayload: ({ token }) => claims(token) }));
  } catch (error) {
    if (error instanceof PolicyError) {
      throw new Refused(error.diagnostics.map(({ code, message }) => `${code}: ${message}`));
    }
    throw error;
  }
}

class Engine {
  #orthrus;

  constructor(orthrus) {
    this.#orthrus = orthrus;
  }

  check({ includeMeta, ...body }) {
    const { results } = this.#orthrus.checkResourcesSync({ ...body, includeMetadata: includeMeta });
    return {
      results: results.map(({ actions, outputs, metadata, validationErrors }) => ({
        actions,
        validationErrors,
        outputs: outputs.map(({ source, action, value, error }) => ({ src: source, action, val: value, error })),
        meta: metadata,
      })),
    };
  }

  close() {
    this.#orthrus.close();
  }
}
