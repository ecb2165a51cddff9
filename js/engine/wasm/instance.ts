/** The interface of `crates/wasm`: an instance of the module holds one policy set. */

import type { Answer } from "../native.js";

/** What a call gives: from 0 on a number, else one of {@link Status}. */
type StatusOrNumber = number;

enum Status {
  /** There is a text in the result buffer. */
  TEXT = -1,
  /** The text is the JSON of a failure. */
  FAILURE = -2,
}

/** What the module exports. Lengths are in bytes. */
export interface WasmExports {
  readonly memory: WebAssembly.Memory;
  /** The address of the input buffer, which has so many bytes at least. Memory may grow. */
  input(length: number): number;
  result_address(): number;
  result_length(): number;
  /** Calls what loading a bundle and deciding calls, so that the runtime has compiled it. */
  warm_up(): StatusOrNumber;
  from_files(files: number, options: number): StatusOrNumber;
  from_bundle(bundle: number, options: number): StatusOrNumber;
  policy_count(): StatusOrNumber;
  warnings(): StatusOrNumber;
  principal_attributes(): StatusOrNumber;
  resource_attributes(kind: number): StatusOrNumber;
  bundle(): StatusOrNumber;
  reads_clock(): StatusOrNumber;
  /** `now` is in milliseconds since 1970. */
  check(frame: number, now: number): StatusOrNumber;
  check_json(request: number, now: number, audit: number): StatusOrNumber;
}

/** An input buffer above this size is given back when it is not needed any more. */
const KEEP_AT_MOST = 1 << 20;

const utf8 = new TextEncoder();
const decoder = new TextDecoder();

/** A fresh instance. */
export class WasmInstance {
  readonly exports: WasmExports;
  /** The whole memory; a view of it ends when memory grows. */
  #memory: Uint8Array;
  #address = 0;
  #capacity = 0;

  constructor(module: WebAssembly.Module) {
    this.exports = new WebAssembly.Instance(module).exports as unknown as WasmExports;
    this.#memory = new Uint8Array(this.exports.memory.buffer);
  }

  /** Puts bytes into the input buffer, one after the other. */
  write(...parts: Uint8Array[]): void {
    let at = this.#reserve(parts.reduce((length, part) => length + part.length, 0));
    for (const part of parts) {
      this.#memory.set(part, at);
      at += part.length;
    }
  }

  /** Puts the first bytes of a buffer into the input buffer. */
  writeStart(bytes: Uint8Array, length: number): void {
    const at = this.#reserve(length);
    this.#memory.set(length === bytes.length ? bytes : bytes.subarray(0, length), at);
  }

  /** Puts a text into the input buffer, and gives its length in bytes. */
  writeText(text: string): number {
    if (text.length > KEEP_AT_MOST) {
      // The longest encoding of a long text would be a lot of memory, which an instance never gives back.
      const bytes = utf8.encode(text);
      this.write(bytes);
      return bytes.length;
    }
    const room = 3 * text.length;
    const at = this.#reserve(room);
    return utf8.encodeInto(text, this.#memory.subarray(at, at + room)).written;
  }

  /** The input buffer is given up: loading takes it over. */
  forgetInput(): void {
    this.#capacity = 0;
  }

  /** What a call has answered. Throws what the addon would throw. */
  answer(status: StatusOrNumber): Answer {
    if (status >= 0) {
      return status;
    }
    const text = this.#result();
    if (status === Status.FAILURE) {
      throw new Error(text);
    }
    return text;
  }

  #result(): string {
    const start = this.exports.result_address();
    return decoder.decode(this.#view().subarray(start, start + this.exports.result_length()));
  }

  #reserve(length: number): number {
    if (length > this.#capacity || (this.#capacity > KEEP_AT_MOST && length <= KEEP_AT_MOST)) {
      this.#capacity = Math.max(length, 1024);
      this.#address = this.exports.input(this.#capacity);
    }
    this.#view();
    return this.#address;
  }

  #view(): Uint8Array {
    const { buffer } = this.exports.memory;
    if (this.#memory.buffer !== buffer) {
      this.#memory = new Uint8Array(buffer);
    }
    return this.#memory;
  }
}
