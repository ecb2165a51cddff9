/**
 * A Rust toolchain for `wasm32-unknown-unknown`: that of rustup where it has the target, else Debian's (packages rustc-web, cargo-web
 * and rust-web-src), which comes without the standard library for it; that is built once and kept in `target/`.
 */

import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installInCI } from "./apt.mjs";
import { elapsed, inRoot, output, run } from "./project.mjs";

export const TARGET = "wasm32-unknown-unknown";

const DEBIAN = {
  rustc: "/usr/bin/rustc",
  cargo: "/usr/bin/cargo",
  library: "/usr/lib/rustlib/src/rust/library",
  packages: ["rustc-web", "cargo-web", "rust-web-src"],
};

const silent = { quiet: true, onLine: () => undefined };

/** This machine has none; the message says what to install. */
export class NoToolchain extends Error {}

/** A toolchain: `{ name, cargo, env }`, the path of cargo and what it needs in its environment. Rejects with `NoToolchain`. */
export async function wasmToolchain() {
  if (await rustupHasTarget()) {
    return { name: "rustup", cargo: "cargo", env: {} };
  }
  if (!hasDebian()) {
    await installInCI(...DEBIAN.packages);
  }
  if (!hasDebian()) {
    throw new NoToolchain(
      `building the WebAssembly engine needs the standard library of Rust for ${TARGET}: run \`rustup target add ${TARGET}\`, ` +
        `or on Debian \`apt-get install ${DEBIAN.packages.join(" ")}\``,
    );
  }
  const version = await output(DEBIAN.rustc, ["--version"]);
  const sysroot = await buildSysroot(version);
  return {
    name: version,
    cargo: DEBIAN.cargo,
    env: {
      RUSTC: DEBIAN.rustc,
      RUSTDOC: "/usr/bin/rustdoc",
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: `--sysroot ${sysroot}`,
      ...(await linker()),
    },
  };
}

async function rustupHasTarget() {
  const libraries = await output("rustc", ["--print", "target-libdir", "--target", TARGET]).catch(() => "");
  return libraries !== "" && existsSync(libraries.trim());
}

const hasDebian = () => existsSync(DEBIAN.cargo) && existsSync(DEBIAN.library);

/** rustup's linker, where Debian's package of it is not installed. */
async function linker() {
  const libraries = await output("rustc", ["--print", "target-libdir"]).catch(() => "");
  const lld = join(libraries.trim(), "..", "bin", "rust-lld");
  return existsSync(lld) ? { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: lld } : {};
}

/** The folder of a standard library for the target, by the version of the compiler. */
async function buildSysroot(version) {
  const name = version.replace(/^rustc ([\w.-]+).*$/s, "$1");
  const sysroot = inRoot("target", `wasm-sysroot-${name}`);
  if (existsSync(sysroot)) {
    return sysroot;
  }
  const start = Date.now();
  const work = inRoot("target", "wasm-std");
  const libraries = join(`${sysroot}.new`, "lib", "rustlib", TARGET, "lib");
  rmSync(`${sysroot}.new`, { recursive: true, force: true });
  mkdirSync(join(work, "src"), { recursive: true });
  mkdirSync(libraries, { recursive: true });
  writeFileSync(join(work, "Cargo.toml"), MANIFEST);
  writeFileSync(join(work, "src", "lib.rs"), "");
  await run(DEBIAN.cargo, ["build", "-Zbuild-std=std,panic_abort", "--release", "--target", TARGET], {
    ...silent,
    cwd: work,
    env: {
      RUSTC: DEBIAN.rustc,
      // A toolchain of a distribution is stable, and takes the flag for building its own library nonetheless.
      RUSTC_BOOTSTRAP: "1",
      // What is linked with fat LTO has to be there as bitcode.
      RUSTFLAGS: "-Cembed-bitcode=yes",
      CARGO_TARGET_DIR: join(work, "target"),
    },
  });
  const built = join(work, "target", TARGET, "release", "deps");
  for (const file of readdirSync(built).filter((name) => name.endsWith(".rlib") && !name.includes("stdonly"))) {
    copyFileSync(join(built, file), join(libraries, file));
  }
  renameSync(`${sysroot}.new`, sysroot);
  rmSync(work, { recursive: true, force: true });
  console.log(`Standard library for ${TARGET}: ${elapsed(start)}`);
  return sysroot;
}

const MANIFEST = `[package]
name = "stdonly"
version = "0.0.0"
edition = "2024"

[workspace]

[profile.release]
panic = "abort"
opt-level = "s"
`;
