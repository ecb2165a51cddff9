/** Finds and loads the native addon of this platform. */

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { PACKAGE_ROOT, requireFile, requirePackage } from "orthrus/addon";
import { BinaryError } from "../errors.js";
import type { Native } from "./native.js";

/** All platforms with a prebuilt addon, as the suffix of its package: `orthrus-linux-x64-gnu`. */
export const PLATFORMS = [
  "darwin-arm64",
  "darwin-x64",
  "linux-arm64-gnu",
  "linux-arm64-musl",
  "linux-x64-gnu",
  "linux-x64-musl",
  "win32-arm64-msvc",
  "win32-x64-msvc",
] as const;

/** The environment variable that names an addon file to load in place of the installed one. */
export const PATH_VARIABLE = "ORTHRUS_NATIVE_PATH";

let loaded: Native | undefined;

/**
 * The addon: the file that `ORTHRUS_NATIVE_PATH` names, else the one built in a checkout (`orthrus.PLATFORM.node` at the
 * package root), else that of the platform's package. Loaded once. Throws a `BinaryError`.
 */
export function loadNative(): Native {
  loaded ??= findNative();
  return loaded;
}

function findNative(): Native {
  const platform = currentPlatform();
  const override = process.env[PATH_VARIABLE];
  if (override !== undefined && override !== "") {
    return loadFile(resolve(override), platform, `${PATH_VARIABLE} names ${override}, which cannot be loaded`);
  }
  const built = join(PACKAGE_ROOT, `orthrus.${platform}.node`);
  if (existsSync(built)) {
    return loadFile(built, platform, `the addon built in this checkout, ${built}, cannot be loaded`);
  }
  return loadPackage(platform);
}

function loadFile(path: string, platform: string, problem: string): Native {
  try {
    return requireFile(path) as Native;
  } catch (cause) {
    throw new BinaryError(`${problem}: ${messageOf(cause)}`, platform, { cause });
  }
}

function loadPackage(platform: string): Native {
  if (!(PLATFORMS as readonly string[]).includes(platform)) {
    throw new BinaryError(unsupportedMessage(platform), platform);
  }
  let native: unknown;
  try {
    native = requirePackage(platform);
  } catch (cause) {
    const missing = (cause as { code?: unknown } | null)?.code === "MODULE_NOT_FOUND";
    throw new BinaryError(missing ? missingMessage(platform) : brokenMessage(platform, cause), platform, { cause });
  }
  return native as Native;
}

function missingMessage(platform: string): string {
  const lines = [
    `the package orthrus-${platform}, which holds the addon of this platform, is not installed.`,
    "It is an optional dependency of orthrus. Install again with optional dependencies, without --omit=optional or",
    "--no-optional; if node_modules or the lock file came from another platform, delete both first. In a checkout of",
    "orthrus itself, run `npm run build`.",
  ];
  if (platform.endsWith("-musl")) {
    lines.push("This system uses musl (as Alpine does): a node_modules installed on a glibc system does not serve it.");
  }
  return lines.join("\n");
}

function brokenMessage(platform: string, cause: unknown): string {
  return [
    `the package orthrus-${platform} is installed, but its addon cannot be loaded: ${messageOf(cause)}`,
    "Install it again (`npm rebuild` or `npm ci`), or name an addon that you built in the environment variable",
    `${PATH_VARIABLE}.`,
  ].join("\n");
}

function unsupportedMessage(platform: string): string {
  return [
    `there is no addon for ${platform} (Node.js ${process.version}).`,
    `Supported: ${PLATFORMS.join(", ")}.`,
    `An addon built from source can be named in the environment variable ${PATH_VARIABLE}.`,
  ].join("\n");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The running platform, as the suffix of its package. */
export function currentPlatform(): string {
  const { platform, arch } = process;
  switch (platform) {
    case "linux":
      return `linux-${arch}-${isMusl() ? "musl" : "gnu"}`;
    case "win32":
      return `win32-${arch}-msvc`;
    default:
      return `${platform}-${arch}`;
  }
}

function isMusl(): boolean {
  // The script `ldd` names the C library and is there on nearly every system; asking Node for its report takes milliseconds.
  try {
    const ldd = readFileSync("/usr/bin/ldd", "utf8");
    if (ldd.includes("musl")) {
      return true;
    }
    if (/glibc|GNU/i.test(ldd)) {
      return false;
    }
  } catch {
    // Not there: ask Node.
  }
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime === undefined;
}
