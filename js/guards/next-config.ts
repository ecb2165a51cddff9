/** What Next.js has to know of this package. */

import type { NextConfig } from "next";
import { OptionsError } from "../errors.js";
import { unknownName } from "../nearest.js";
import type { Awaitable } from "./guard.js";

/** What {@link withOrthrus} adds. */
export interface NextOptions {
  /**
   * Directories with policies, relative to the project. They become part of what Next.js traces, so that they are there in
   * `output: "standalone"` and on platforms that deploy the trace. Default: none.
   *
   * Turbopack cannot trace what is outside of its root and panics: for a directory above the project, such as `"../../policies"` in
   * a repository of several packages, set `turbopack.root` to the folder that holds both.
   */
  policies?: string | readonly string[] | undefined;
  /**
   * Enable `experimental.authInterrupts`, without which Next.js has no `forbidden()` and `unauthorized()`. Default: `true`; what
   * the configuration says itself stays.
   */
  authInterrupts?: boolean | undefined;
}

/** All that `next.config` may export. */
export type AnyNextConfig =
  | NextConfig
  | Promise<NextConfig>
  | ((phase: string, context: { defaultConfig: NextConfig }) => Awaitable<NextConfig>);

/**
 * The one module that loads a binary, and must therefore be loaded by Node.js itself. The rest has to be bundled: as an external
 * package it would use another React than the application, without contexts, client boundaries and `cache()`.
 */
const EXTERNAL = "orthrus/addon";

const KNOWN = ["policies", "authInterrupts"];

/**
 * A configuration of Next.js in which this package works: `export default withOrthrus({ … })`. Takes an object, a promise or a
 * function, and returns the same. Everything that is in the configuration stays. Throws an `OptionsError`.
 */
export function withOrthrus<Config extends AnyNextConfig = NextConfig>(
  config: Config = {} as Config,
  options: NextOptions = {},
): Config {
  checkOptions(options);
  return transform(config, (config) => extend(config, options)) as Config;
}

function checkOptions(options: NextOptions): void {
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name)) {
      throw new OptionsError(name, `there is no such option; ${unknownName(name, KNOWN)}`);
    }
  }
  const { policies = [], authInterrupts = true } = options;
  // An empty name would be the root of the disk.
  if (![policies].flat().every((directory) => typeof directory === "string" && directory !== "")) {
    throw new OptionsError("policies", "must be a directory, or a list of directories");
  }
  if (typeof authInterrupts !== "boolean") {
    throw new OptionsError("authInterrupts", "must be a boolean");
  }
}

function transform(config: AnyNextConfig, extend: (config: NextConfig) => NextConfig): AnyNextConfig {
  if (typeof config === "function") {
    return (...args) => transform(config(...args), extend) as Awaitable<NextConfig>;
  }
  // Not `instanceof`: configurations are evaluated in a context of their own.
  return typeof (config as PromiseLike<NextConfig>)?.then === "function"
    ? (config as Promise<NextConfig>).then(extend)
    : extend(config as NextConfig);
}

function extend(config: NextConfig, { policies = [], authInterrupts = true }: NextOptions): NextConfig {
  const externals = config.serverExternalPackages ?? [];
  if (externals.includes("orthrus")) {
    throw new OptionsError(
      "serverExternalPackages",
      `remove "orthrus": as an external package it would not share React with the application; withOrthrus adds ${EXTERNAL}, which is enough`,
    );
  }
  const extended: NextConfig = { ...config, serverExternalPackages: unique([...externals, EXTERNAL]) };
  const directories = typeof policies === "string" ? [policies] : policies;
  if (directories.length > 0) {
    const { "/*": present = [], ...others } = config.outputFileTracingIncludes ?? {};
    const globs = directories.map((directory) => `${directory.replace(/^\.\/|\/+$/g, "")}/**/*`);
    extended.outputFileTracingIncludes = { ...others, "/*": unique([...present, ...globs]) };
  }
  if (authInterrupts) {
    extended.experimental = { authInterrupts: true, ...config.experimental };
  }
  return extended;
}

const unique = (names: string[]): string[] => [...new Set(names)];
