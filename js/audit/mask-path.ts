/** Paths of what an audit log must not show, such as `inputs[*].principal.attr.ssn`: text to steps, and whether there is such a field. */

import { OptionsError } from "../errors.js";
import { unknownName } from "../nearest.js";

/** Every item of a list, or every value of an object. */
export const EVERY = Symbol("every");

/** A member of an object, an item of a list, or all of them. */
export type Step = string | number | typeof EVERY;

/** What stands in a record: a list of something, a message with these fields, or values of the application. */
type Shape = { every: Shape } | { fields: Record<string, Shape> } | undefined;

const VALUE = undefined;
const SUBJECT = { id: VALUE, policyVersion: VALUE, scope: VALUE, attr: VALUE };
const RECORD: Shape = {
  fields: {
    inputs: {
      every: {
        fields: {
          requestId: VALUE,
          principal: { fields: { ...SUBJECT, roles: VALUE } },
          resource: { fields: { ...SUBJECT, kind: VALUE } },
          actions: VALUE,
          auxData: { fields: { jwt: VALUE, jwts: VALUE } },
        },
      },
    },
    outputs: {
      every: {
        fields: {
          requestId: VALUE,
          actions: VALUE,
          resourceId: VALUE,
          effectiveDerivedRoles: VALUE,
          validationErrors: VALUE,
          outputs: { every: { fields: { src: VALUE, action: VALUE, val: VALUE, error: VALUE } } },
          evaluationErrors: VALUE,
        },
      },
    },
    error: VALUE,
  },
};

/** One step at the beginning of a text: a name after a point, `*`, or something in brackets. */
const STEP = /^(?:\.?(\*|[^.[\]*'"\s]+)|\[(\*|\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\['((?:[^'\\]|\\.)*)'\])/;

/** The steps of a path, which is an option. Throws an `OptionsError` also where records have no such field: it would mask nothing. */
export function parseMask(path: unknown, option: string): Step[] {
  if (typeof path !== "string") {
    throw new OptionsError(option, "must be a path, such as inputs[*].principal.attr.ssn");
  }
  const steps = stepsOf(path);
  if (steps === undefined) {
    throw new OptionsError(option, `${JSON.stringify(path)} is no path, such as inputs[*].principal.attr["tax id"]`);
  }
  let shape: Shape = RECORD;
  for (const step of steps) {
    shape = shapeAt(shape, step, option);
  }
  return steps;
}

/** `undefined` for what is no path. */
function stepsOf(path: string): Step[] | undefined {
  const steps: Step[] = [];
  let rest = path.startsWith(".") ? "" : path;
  while (rest !== "") {
    const found = STEP.exec(rest);
    // Only the first name goes without a point.
    if (found === null || (steps.length > 0 && !/^[.[]/.test(rest))) {
      return undefined;
    }
    steps.push(stepOf(found));
    rest = rest.slice(found[0].length);
  }
  return steps.length === 0 ? undefined : steps;
}

function stepOf([, name, index, double, single]: RegExpExecArray): Step {
  if (name === "*" || index === "*") {
    return EVERY;
  }
  if (index !== undefined) {
    return Number(index);
  }
  return double === undefined ? (name ?? single?.replace(/\\(.)/g, "$1") ?? "") : quoted(double);
}

/** A name between quotes has the escapes of JSON, as far as they are right. */
function quoted(text: string): string {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(1, -1);
  }
}

function shapeAt(shape: Shape, step: Step, option: string): Shape {
  if (shape === undefined) {
    return VALUE;
  }
  if ("every" in shape) {
    if (typeof step === "string") {
      throw new OptionsError(option, `${step} is in each item of a list: write [*] before it`);
    }
    return shape.every;
  }
  if (typeof step !== "string") {
    return VALUE;
  }
  if (!Object.hasOwn(shape.fields, step)) {
    throw new OptionsError(option, `there is no ${step}; ${unknownName(step, Object.keys(shape.fields))}`);
  }
  return shape.fields[step];
}
