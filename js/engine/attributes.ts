/** Which attributes policies read: the others need not cross to the addon. */

import type { EngineNumber, Native } from "./native.js";

/** Kinds of resources come from callers; past this many, the rest are looked up each time. */
const MAX_KINDS = 1024;

type Names = ReadonlySet<string> | undefined;

/** What the policies of one engine read. `undefined` stands for all attributes. */
export class AttributesRead {
  readonly principal: Names;
  readonly #native: Native;
  readonly #engine: EngineNumber;
  readonly #byKind = new Map<string, Names>();

  constructor(native: Native, engine: EngineNumber) {
    this.#native = native;
    this.#engine = engine;
    this.principal = parse(native.principalAttributes(engine));
  }

  /** What is read of resources of a kind. */
  resource(kind: string): Names {
    const known = this.#byKind.get(kind);
    if (known !== undefined || this.#byKind.has(kind)) {
      return known;
    }
    const names = parse(this.#native.resourceAttributes(this.#engine, kind));
    if (this.#byKind.size < MAX_KINDS) {
      this.#byKind.set(kind, names);
    }
    return names;
  }
}

function parse(json: string): Names {
  const names: string[] | null = JSON.parse(json);
  return names === null ? undefined : new Set(names);
}
