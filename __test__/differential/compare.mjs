/** What two answers to one request differ in. */

/** The same JSON for values that are equal, whatever the order of their keys. */
function canonical(value) {
  if (Array.isArray(value)) {
    return `[${value.map(canonical).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const fields = Object.keys(value).sort();
    return `{${fields.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/**
 * An error without what the PDP itself does not say twice alike: lists and maps are printed as protobuf's text, with spaces that
 * differ from build to build, and maps in any order; of a map that shall be a list the first key is named, whichever that is.
 */
const stable = (error) =>
  error
    .replace(/^(join: invalid input|.* from non-optional value):? [[{].*$/su, "$1")
    .replace(/^(field type conversion error for google\.protobuf\.Value\.list_value) .*$/su, "$1");

/** The outputs of an action, sorted: in which order the rules of several roles put out is not promised. */
function outputsOf({ outputs = [] }, action, { texts }) {
  return outputs
    .filter((output) => output.action === action)
    .map(({ src, val, error }) => `${src} ${error ? `error${texts ? ` ${stable(error)}` : ""}` : canonical(val)}`)
    .sort();
}

/** What is told of an action: the same text for the same answers. */
function told(result, action, options) {
  const { matchedPolicy, matchedScope = "" } = result.meta?.actions?.[action] ?? {};
  return [result.actions[action], matchedPolicy, matchedScope, ...outputsOf(result, action, options)].join("\n");
}

const derivedRoles = ({ meta }) => [...(meta?.effectiveDerivedRoles ?? [])].sort().join(" ");

/**
 * The differences between the results for one resource, as `{kind, action, pdp, orthrus}`. `kind` is `decision`, `roles` (of
 * the whole result; no action), or `text` where nothing but the texts of errors differ.
 */
export function differences(pdp, orthrus, actions) {
  const found = [];
  for (const action of actions) {
    const [theirs, ours] = [pdp, orthrus].map((result) => told(result, action, { texts: true }));
    if (theirs !== ours) {
      const same = told(pdp, action, { texts: false }) === told(orthrus, action, { texts: false });
      found.push({ kind: same ? "text" : "decision", action, pdp: theirs, orthrus: ours });
    }
  }
  if (derivedRoles(pdp) !== derivedRoles(orthrus)) {
    found.push({ kind: "roles", pdp: derivedRoles(pdp), orthrus: derivedRoles(orthrus) });
  }
  return found;
}
