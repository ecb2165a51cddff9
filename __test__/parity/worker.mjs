/** Decides sets in workerd: they come as JSON, and what the engine says goes back. */

import module from "../engine.wasm";
import { decide, loadOf } from "./decide.mjs";
import { AttributesRead } from "./engine/attributes.mjs";
import { frame, writeCheckResources, writeFrame } from "./engine/frame.mjs";
import { wasmNative } from "./engine/wasm/native.mjs";

const native = wasmNative(module);
const frames = { AttributesRead, frame, writeCheckResources, writeFrame };

const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

export default {
  async fetch(request) {
    const sets = await request.json();
    return Response.json(
      sets.map(({ bundle, ...rest }) => {
        const set = { ...rest, bundle: bundle && bytes(bundle) };
        return decide(native, frames, set, loadOf(set));
      }),
    );
  },
};
