/** `orthrus compile` as a function. */

import { whenReady } from "#platform";
import { type Diagnostic, OptionsError } from "../errors.js";
import { unknownOption } from "../options-names.js";
import { errorFromNative, type NativeCompileOptions, type NativeCompileReport } from "./native.js";
import { storePath } from "./store-path.js";
import type { TestResults } from "./test-results.js";

/** Options of {@link compile}, as those of the command. All default to `false` or nothing. */
export interface CompileOptions {
  /** Whether the schemas of attributes count for nothing. */
  ignoreSchemas?: boolean | undefined;
  /** Whether the tests are left out. */
  skipTests?: boolean | undefined;
  /** The directory or archive of the tests, if they are not among the policies. */
  tests?: string | URL | undefined;
  /**
   * Which tests to run: `suite=…;test=…;principal=…;resource=…;action=…`, each a list of patterns joined by commas. What several
   * filters say of one part adds up.
   */
  testFilter?: string | readonly string[] | undefined;
  /** Whether each action of a test is decided by itself. */
  skipBatching?: boolean | undefined;
  /** Whether an error in a condition denies the actions that depend on it. */
  strictEvaluation?: boolean | undefined;
  /** Whether the results tell which rules were looked at, and where they are written. */
  trace?: boolean | undefined;
}

/** What came of {@link compile}. */
export interface CompileReport {
  /** Whether the policies are in order, and no test failed. */
  ok: boolean;
  /** What is wrong with the policies, or odd about them. */
  diagnostics: readonly Diagnostic[];
  /** The results of the tests; absent where the policies are wrong or the tests were left out. */
  tests?: TestResults;
}

const FLAGS = ["ignoreSchemas", "skipTests", "skipBatching", "strictEvaluation", "trace"] as const;
const KNOWN = [...FLAGS, "tests", "testFilter"];

/**
 * Compiles the policies of a directory or archive and runs their tests (`*_test.yaml`), off the calling thread. Mistakes in policies and
 * failed tests are in the report; a path that cannot be read rejects with `StoreError`, a wrong option with `OptionsError`.
 */
export async function compile(dir: string | URL, options: CompileOptions = {}): Promise<CompileReport> {
  const path = storePath(dir);
  const native = encodeOptions(options);
  try {
    const report = JSON.parse(await (await whenReady()).compile(path, JSON.stringify(native))) as NativeCompileReport;
    const { tests, ...rest } = report;
    return tests === null ? rest : { ...rest, tests };
  } catch (error) {
    throw errorFromNative(error);
  }
}

function encodeOptions(options: CompileOptions): NativeCompileOptions {
  if (typeof options !== "object" || options === null) {
    throw new OptionsError("", "the options must be an object");
  }
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) {
    throw new OptionsError(unknown, unknownOption(unknown, KNOWN));
  }
  const encoded: NativeCompileOptions = {};
  for (const name of FLAGS) {
    const value = options[name];
    if (value !== undefined && typeof value !== "boolean") {
      throw new OptionsError(name, "must be a boolean");
    }
    encoded[name] = value ?? false;
  }
  if (options.tests !== undefined) {
    encoded.tests = storePath(options.tests, "tests");
  }
  if (options.testFilter !== undefined) {
    encoded.testFilter = filters(options.testFilter);
  }
  return encoded;
}

function filters(filter: unknown): string[] {
  const list = Array.isArray(filter) ? filter : [filter];
  if (!list.every((text) => typeof text === "string")) {
    throw new OptionsError("testFilter", "must be a string or a list of strings");
  }
  return list;
}
