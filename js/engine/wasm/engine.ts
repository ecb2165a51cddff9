import { OrthrusError } from "../../errors.js";
import type { Answer } from "../native.js";
import { WasmInstance } from "./instance.js";

/** Puts policies into an instance that holds none. */
type Load = (instance: WasmInstance) => void;

/** A policy set in an instance of its own, which is replaced by a new one when it breaks. */
export class WasmEngine {
  readonly #module: WebAssembly.Module;
  readonly #load: Load;
  #instance: WasmInstance | undefined;
  /** Whether any policy reads the time, for the sake of the others. */
  #readsClock = true;

  constructor(module: WebAssembly.Module, load: Load) {
    this.#module = module;
    this.#load = load;
    this.#run((instance) => instance.answer(instance.exports.policy_count()));
  }

  static fromFiles(module: WebAssembly.Module, files: string, options: string): WasmEngine {
    return new WasmEngine(module, (instance) => {
      const parts = [files, options].map((text) => new TextEncoder().encode(text)) as [Uint8Array, Uint8Array];
      load(instance, parts, instance.exports.from_files);
    });
  }

  static fromBundle(module: WebAssembly.Module, bundle: Uint8Array, options: string): WasmEngine {
    // The caller may change its bytes, and a new instance has to be made of the same.
    const parts: [Uint8Array, Uint8Array] = [bundle.slice(), new TextEncoder().encode(options)];
    return new WasmEngine(module, (instance) => load(instance, parts, instance.exports.from_bundle));
  }

  policyCount(): number {
    return this.#run((instance) => instance.answer(instance.exports.policy_count())) as number;
  }

  warnings(): string {
    return this.#run((instance) => instance.answer(instance.exports.warnings())) as string;
  }

  principalAttributes(): string {
    return this.#run((instance) => instance.answer(instance.exports.principal_attributes())) as string;
  }

  resourceAttributes(kind: string): string {
    return this.#run((instance) => {
      const length = instance.writeText(kind);
      return instance.answer(instance.exports.resource_attributes(length));
    }) as string;
  }

  bundle(): string {
    return this.#run((instance) => instance.answer(instance.exports.bundle())) as string;
  }

  check(frame: Uint8Array, length: number): Answer {
    return this.#run((instance) => {
      instance.writeStart(frame, length);
      return instance.answer(instance.exports.check(length, this.#readsClock ? Date.now() : 0));
    });
  }

  checkJson(request: string, at: number | undefined, audit: boolean): Answer {
    return this.#run((instance) => {
      const length = instance.writeText(request);
      return instance.answer(instance.exports.check_json(length, at ?? Date.now(), audit ? 1 : 0));
    });
  }

  /**
   * Makes a call. What traps leaves an instance in which nothing can be trusted any more: the call fails, and the next one gets a
   * new instance. So an instance is put back only by a call that has come to its end: where the stack is used up, not even the handler
   * of the error may get to its own.
   */
  #run(call: (instance: WasmInstance) => Answer): Answer {
    const instance = this.#instance ?? this.#opened();
    this.#instance = undefined;
    let answer: Answer;
    try {
      answer = call(instance);
    } catch (error) {
      if (isFailure(error)) {
        this.#instance = instance;
        throw error;
      }
      throw fault(error);
    }
    this.#instance = instance;
    return answer;
  }

  #opened(): WasmInstance {
    try {
      const instance = new WasmInstance(this.#module);
      this.#load(instance);
      this.#readsClock = instance.answer(instance.exports.reads_clock()) === 1;
      return instance;
    } catch (error) {
      throw isFailure(error) ? error : fault(error);
    }
  }
}

function load(
  instance: WasmInstance,
  [policies, options]: [Uint8Array, Uint8Array],
  call: (policies: number, options: number) => number,
): void {
  instance.write(policies, options);
  const status = call(policies.length, options.length);
  instance.forgetInput();
  instance.answer(status);
}

/** Whether it is a failure that the engine tells, and no trap of WebAssembly (`RuntimeError`, `RangeError`). */
function isFailure(error: unknown): boolean {
  return error instanceof Error && error.name === "Error";
}

function fault(cause: unknown): OrthrusError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new OrthrusError(
    "ENGINE_FAULT",
    cause instanceof RangeError
      ? `there is no stack or memory left for the engine (${message})`
      : `the engine stopped (${message}); please report it with the policies that cause it`,
    { cause },
  );
}
