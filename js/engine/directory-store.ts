import { attemptLater, type Native } from "./native.js";
import { PolicySet } from "./policy-set.js";

/** A directory or archive that policies were read from, and can be read from again. */
export class DirectoryStore {
  readonly path: string;
  readonly #native: Native;
  readonly #options: string;
  #reading: Promise<PolicySet> | undefined;

  constructor(native: Native, path: string, options: string) {
    this.#native = native;
    this.path = path;
    this.#options = options;
  }

  /** The policies that are there now. Who asks while they are being read gets those that are read after that: files may have changed. */
  read(): Promise<PolicySet> {
    const before = this.#reading?.catch(() => undefined) ?? Promise.resolve();
    const reading = before.then(() => this.#read());
    this.#reading = reading;
    return reading;
  }

  async #read(): Promise<PolicySet> {
    return new PolicySet(this.#native, await attemptLater(() => this.#native.open(this.path, this.#options)));
  }
}
