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

/** A message of a schema with the properties that it lists sorted: the PDP lists them in any order. */
const listed = (message) =>
  message.replace(/^additionalProperties (.*) not allowed$/su, (_, names) => {
    const sorted = names.split(/(?<='), (?=')/u).sort();
    return `additionalProperties ${sorted.join(", ")} not allowed`;
  });

/** What schemas refuse, sorted: in which order is not promised. */
function refused({ validationErrors = [] }, { texts }) {
  return validationErrors
    .map(({ source, path = "", message }) => `${source} ${path}${texts ? ` ${listed(message)}` : ""}`)
    .sort()
    .join("\n");
}

const derivedRoles = ({ meta }) => [...(meta?.effectiveDerivedRoles ?? [])].sort().join(" ");

/** What an answer says of an action, by what a difference in it is called. */
const PARTS = [
  ["decision", told],
  ["roles", derivedRoles],
  ["validation", (result, _action, options) => refused(result, options)],
];

/**
 * The differences between the results for one resource: for each action the first of them, as `{kind, action, pdp, orthrus}`.
 * `kind` is `decision`, `roles` (those that the principal was found to have), `validation` (what schemas refuse), or `text` where
 * nothing but the texts of errors differ.
 */
export function differences(pdp, orthrus, actions) {
  return actions.flatMap((action) => {
    const found = PARTS.flatMap(([kind, tell]) => {
      const [theirs, ours] = [pdp, orthrus].map((result) => tell(result, action, { texts: true }));
      const [bare, ownBare] = [pdp, orthrus].map((result) => tell(result, action, { texts: false }));
      return theirs === ours ? [] : [{ kind: bare === ownBare ? "text" : kind, action, pdp: theirs, orthrus: ours }];
    });
    const [first] = [...found.filter(({ kind }) => kind !== "text"), ...found];
    return first === undefined ? [] : [first];
  });
}
