/** orthrus behind the same face as the PDP: a set of files is loaded or refused, a request is answered in the PDP's JSON. */

import { Orthrus, PolicyError } from "orthrus";
import { Refused } from "./pdp.mjs";

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

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
      results: results.map(({ actions, outputs, metadata }) => ({
        actions,
        outputs: outputs.map(({ source, action, value, error }) => ({ src: source, action, val: value, error })),
        meta: metadata,
      })),
    };
  }

  close() {
    this.#orthrus.close();
  }
}
