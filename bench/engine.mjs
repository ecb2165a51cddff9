import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * The check inside the engine, without JavaScript: runs the Rust benchmark, whose lines are JSON
 * `{"name", "ns", "least", "ratio", "allocs"}`, as benches/check.rs explains them. It fails where a check allocates.
 * @returns those objects
 */
export async function benchEngine() {
  const child = spawn("cargo", ["bench", "--bench", "check"], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`cargo could not be started: ${error.message}`)));
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`cargo bench --bench check ended with ${code}`);
  const figures = text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
  if (figures.length === 0) throw new Error("cargo bench --bench check reported no figures");
  return figures;
}
