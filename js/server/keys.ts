import type { NativeServer, NativeServers, ServerQuestion } from "../engine/native.js";
import { type KeySet, keySet, noKeySet } from "../tokens/jwt-keys.js";
import { type CheckedJwtOptions, type CheckedKeySet, checkJwtOptions, type JwtOptions } from "../tokens/jwt-options.js";
import { isRevoked } from "../tokens/revocation-check.js";

/** Keeps the keys by which a server verifies tokens: fetches them, and gives them to it. */
export class KeyKeeper {
  readonly #options: CheckedJwtOptions | undefined;
  readonly #sets: readonly KeySet[];

  /** Reads local keys. Throws an `OptionsError`. */
  constructor(options: JwtOptions | undefined) {
    this.#options = options === undefined ? undefined : checkJwtOptions(options, "auxData.jwt");
    const { disableVerification = false, skew = 0, keySets = [] } = this.#options ?? {};
    this.#sets = disableVerification ? [noKeySet(skew)] : keySets.map(keySet);
  }

  /** The key sets as the server gets them. */
  get config(): object {
    const { disableVerification = false, cacheSize = 0, revocation, keySets = [] } = this.#options ?? {};
    return {
      keySets: this.#sets.map(({ id = "", skew }, index) => ({
        id,
        skew: skew / 1000,
        remote: !disableVerification && "url" in (keySets[index]?.keys ?? {}),
        issuer: namesIssuer(keySets[index]),
      })),
      disableVerification,
      cacheSize,
      revocation: revocation !== undefined,
    };
  }

  /** Gives a server the keys that are at hand, and fetches the others, so that the first token need not wait. */
  begin(native: NativeServers, server: NativeServer): void {
    this.#sets.forEach((_, index) => {
      // Who needs them hears why there are none.
      this.#give(native, server, index, false).catch(() => undefined);
    });
  }

  /** What a server wants to know. */
  async answer(native: NativeServers, server: NativeServer, question: ServerQuestion): Promise<boolean> {
    if (question.ask === "keys") {
      await this.#give(native, server, question.keySet, question.renew);
      return true;
    }
    const revocation = this.#options?.revocation;
    return revocation !== undefined && isRevoked(revocation, JSON.parse(question.claims));
  }

  async #give(native: NativeServers, server: NativeServer, index: number, renew: boolean): Promise<void> {
    const set = this.#sets[index];
    const now = (this.#options?.now?.() ?? new Date()).getTime();
    try {
      const keys = await (renew ? set?.renewed(now) : set?.keys(now));
      if (keys !== undefined) {
        native.serverKeys(server, index, keys.verifier);
      }
    } catch (error) {
      if (!renew) {
        // They may serve no longer.
        native.serverKeys(server, index, undefined);
      }
      throw error;
    }
  }
}

function namesIssuer(keySet: CheckedKeySet | undefined): boolean {
  const { issuer = [] } = JSON.parse(keySet?.rules ?? "{}") as { issuer?: string[] };
  return issuer.length > 0;
}
