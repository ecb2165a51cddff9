import { join } from "node:path";
import type { NextConfig } from "next";

const config: NextConfig = {
  // The rows that the examples share are outside of this folder.
  turbopack: { root: join(import.meta.dirname, "../..") },
};

export default config;
