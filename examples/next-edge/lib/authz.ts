/** The engine of an edge function: WebAssembly, by the condition `edge-light` of the package. */

import { Orthrus } from "orthrus";
import { loadOnce } from "orthrus/bundles";
import policies from "./policies.generated";

export const engine = loadOnce(() => Orthrus.fromBundle(Uint8Array.from(atob(policies), (char) => char.charCodeAt(0))));
