/**
 * Runs random sets through both engines and counts on what they agree. A case is one action on one resource, with all that the
 * answer says of it, or one load.
 */

import { differences } from "./compare.mjs";
import { load } from "./engine.mjs";
import { compileErrors, Pdp, Refused, Unanswered } from "./pdp.mjs";
import { expressionPolicy } from "./policies.mjs";
import { Rng } from "./rng.mjs";
import { expressionSet, setOfPolicies, someExpressions, toTexts } from "./sets.mjs";

/** How often a PDP is started anew to see whether it agrees with itself, which it does not always. */
const RESTARTS = 5;

/**
 * In some load orders the PDP takes a role policy, which has no `scopePermissions`, to disagree with the policies of its scope
 * that have them, and refuses the set (see its issue 3382).
 */
const SEES_CONFLICTS = /scope permission conflicts=[1-9]/;

/** How the PDP's refusal of an expression begins; behind the expression the messages follow. */
const REFUSED = "Invalid expression";

/** How a message of the parser begins, of which there may be several; macros may say something before. */
const SYNTAX = "Syntax error: ";

/** The messages of orthrus' refusal. */
const messages = (refusal) => refusal.replaceAll(/^expression-\w+: /gm, "").split("\n");

/**
 * The messages of orthrus in the PDP's list, if they are the same. The PDP lists them as it finds them, and twice what stands in
 * a macro that is written with its target twice; orthrus by their places, and once.
 */
function listedAs(list, expression, told) {
  // Of a type that is not known the PDP tells a number.
  const pdp = list.replaceAll(/\b_var\d+/g, "dyn");
  const head = `${REFUSED} \`${expression}\`: [`;
  // Behind a mistake orthrus reads on only where it is certain what was meant; the PDP always finds more.
  const first = pdp.indexOf(SYNTAX, head.length);
  const syntax = told.every((message) => message.startsWith(SYNTAX));
  if (first >= 0 && pdp.startsWith(told.join(", "), syntax ? first : head.length)) {
    return list;
  }
  const longest = [...told].sort((a, b) => b.length - a.length);
  const rest = longest.reduce((text, message) => text.replaceAll(message, ""), pdp.slice(head.length, -1));
  const same = told.every((message) => pdp.includes(message)) && /^[, ]*$/.test(rest);
  return same ? list : `${head}${told.join(", ")}]`;
}

/** The result of a promise or call that may be a refusal. */
async function attempt(action) {
  try {
    return { value: await action() };
  } catch (error) {
    if (error instanceof Refused) {
      return { refusal: error.message };
    }
    throw error;
  }
}

/** Both engines on a set: `{pdp, orthrus}`, of which either may be a refusal. */
export async function start(binary, { files, options }) {
  const texts = toTexts(files);
  const orthrus = await attempt(() => load(texts, options));
  const pdp = await attempt(() => Pdp.start(binary, texts, options));
  return {
    pdp,
    orthrus,
    async stop() {
      orthrus.value?.close();
      await pdp.value?.stop();
    },
  };
}

/**
 * The PDP's results for a request. A value without a JSON form (NaN, an infinity) fails its whole response, so such a request
 * is taken apart; what fails by itself is `undefined`.
 */
async function ask(pdp, request) {
  try {
    return (await pdp.check(request)).results;
  } catch (error) {
    if (!(error instanceof Unanswered) || error.status !== 500) {
      throw error;
    }
  }
  if (request.resources.length === 1) {
    return [undefined];
  }
  const results = [];
  for (const entry of request.resources) {
    results.push(...(await ask(pdp, { ...request, resources: [entry] })));
  }
  return results;
}

/** The PDP's results for a request, and the differences from them, each with the request that it takes to see it. */
export async function compareAnswers(pdp, orthrus, request) {
  const theirs = await ask(pdp, request);
  const ours = orthrus.check(request).results;
  const found = [];
  let unanswered = 0;
  for (const [index, entry] of request.resources.entries()) {
    if (theirs[index] === undefined) {
      unanswered += entry.actions.length;
      continue;
    }
    for (const difference of differences(theirs[index], ours[index], entry.actions)) {
      found.push({ ...difference, request: { ...request, resources: [entry] } });
    }
  }
  return { found, unanswered, answered: theirs.filter((result) => result !== undefined) };
}

/** What was compared, and what came of it. */
class Tally {
  agree = 0;
  disagree = 0;
  /** Those that agree, but for the texts of errors. */
  text = 0;
  /** Loads that both refuse; they agree. */
  refused = 0;
  /** Expressions that the PDP cannot begin to evaluate, and that orthrus refuses; they agree. */
  passedOver = 0;
  /** Left out of the cases: where the PDP does not agree with itself, and where it fails. */
  unstable = 0;
  unanswered = 0;
  /** What the PDP's answers are made of. */
  sets = 0;
  /** Sets that both load, with role policies, and with schemas that are enforced; and requests with tokens. */
  withRolePolicies = 0;
  withSchemas = 0;
  withTokens = 0;
  allowed = 0;
  denied = 0;
  outputs = 0;
  failedOutputs = 0;
  validationErrors = 0;

  get cases() {
    return this.agree + this.disagree;
  }

  add({ kind }) {
    if (kind === "text") {
      this.text += 1;
      this.agree += 1;
    } else {
      this.disagree += 1;
    }
  }

  /** Counts what a set of policies meets. */
  countSet({ files, options: { schemaEnforcement = "none" }, requests }) {
    const policies = Object.values(files);
    const enforced = schemaEnforcement !== "none" && policies.some(({ resourcePolicy }) => resourcePolicy?.schemas);
    this.withSchemas += enforced ? 1 : 0;
    this.withRolePolicies += policies.some(({ rolePolicy }) => rolePolicy) ? 1 : 0;
    this.withTokens += requests.filter(({ auxData = {} }) => Object.keys(auxData).length > 0).length;
  }

  count(results) {
    for (const { actions, outputs = [], validationErrors = [] } of results) {
      const effects = Object.values(actions);
      const allowed = effects.filter((effect) => effect === "EFFECT_ALLOW").length;
      this.allowed += allowed;
      this.denied += effects.length - allowed;
      this.outputs += outputs.length;
      this.failedOutputs += outputs.filter(({ error }) => error).length;
      this.validationErrors += validationErrors.length;
    }
  }
}

/** A long-running comparison. */
export class Comparison {
  #binary;
  #rng;
  #onDisagreement;
  #only;
  tally = new Tally();

  constructor(binary, { seed, onDisagreement = () => undefined, only }) {
    this.#binary = binary;
    this.#rng = new Rng(seed);
    this.#onDisagreement = onDisagreement;
    this.#only = only;
  }

  /** Runs the next set. */
  async step() {
    this.tally.sets += 1;
    const rng = this.#rng.fork();
    const policies = this.#only === undefined ? rng.chance(0.75) : this.#only === "policies";
    const set = policies ? setOfPolicies(rng) : await this.#expressions(rng);
    const engines = await start(this.#binary, set);
    try {
      await this.#compare(set, engines);
    } finally {
      await engines.stop();
    }
  }

  /** A set of expressions that both take; the others are compared here. */
  async #expressions(rng) {
    const made = someExpressions(rng);
    const always = { conditional: () => true };
    const never = { conditional: () => false };
    const refusal = async (expression, where) => {
      const found = await attempt(() => load(toTexts({ "doc.json": expressionPolicy([expression], where) }), {}));
      found.value?.close();
      return found.refusal;
    };
    const errors = await compileErrors(this.#binary, toTexts({ "doc.json": expressionPolicy(made, never) }));
    const failing = new Set();
    const accepted = [];
    for (const expression of made) {
      const pdp = errors.find(({ description }) => description.startsWith(`${REFUSED} \`${expression}\``))?.description;
      const orthrus = await refusal(expression, never);
      if (pdp !== undefined || orthrus !== undefined) {
        const set = { files: { "doc.json": expressionPolicy([expression], never) }, options: {} };
        this.#countLoad(set, pdp, orthrus && listedAs(pdp ?? "", expression, messages(orthrus)));
        continue;
      }
      accepted.push(expression);
      if ((await refusal(expression, always)) !== undefined) {
        failing.add(expression);
      }
    }
    await this.#countPassedOver([...failing]);
    return expressionSet(rng, accepted, failing);
  }

  /**
   * Expressions that orthrus refuses in conditions for a constant that fails. The PDP takes them, and passes over the rule:
   * nothing is put out, neither for a condition that is met nor for one that is not. A DENY rule does not deny then, even where
   * another operand of `||` is true, which is why orthrus does not follow.
   */
  async #countPassedOver(expressions) {
    if (expressions.length === 0) {
      return;
    }
    const policy = expressionPolicy(expressions, { conditional: () => true });
    const pdp = await Pdp.start(this.#binary, toTexts({ "doc.json": policy }), {});
    try {
      const actions = expressions.map((_, index) => String(index));
      const resources = [{ resource: { kind: "doc", id: "1" }, actions }];
      const principal = { id: "ann", roles: ["user"] };
      const { results } = await pdp.check({ requestId: "r", principal, resources });
      for (const [index, expression] of expressions.entries()) {
        const output = (results[0].outputs ?? []).find(({ action }) => action === String(index));
        this.tally.passedOver += 1;
        const set = { files: { "doc.json": expressionPolicy([expression], { conditional: () => true }) }, options: {} };
        this.#countLoad(set, output === undefined ? REFUSED : undefined, REFUSED);
      }
    } finally {
      await pdp.stop();
    }
  }

  #countLoad(set, pdp, orthrus) {
    if (orthrus === undefined && SEES_CONFLICTS.test(pdp)) {
      this.tally.unstable += 1;
      return;
    }
    if ((pdp === undefined) === (orthrus === undefined)) {
      this.tally.refused += 1;
      if (pdp?.startsWith(REFUSED) && pdp !== orthrus) {
        this.tally.add({ kind: "text" });
        this.#onDisagreement({ kind: "text", set, pdp, orthrus });
        return;
      }
      this.tally.agree += 1;
      return;
    }
    this.tally.disagree += 1;
    const accepted = "accepted";
    this.#onDisagreement({ kind: "load", set, pdp: pdp ?? accepted, orthrus: orthrus ?? accepted });
  }

  async #compare(set, { pdp, orthrus }) {
    if (pdp.refusal !== undefined || orthrus.refusal !== undefined) {
      this.#countLoad(set, pdp.refusal, orthrus.refusal);
      return;
    }
    const { tally } = this;
    tally.countSet(set);
    const found = [];
    for (const request of set.requests) {
      const asked = request.resources.reduce((sum, { actions }) => sum + actions.length, 0);
      const answers = await compareAnswers(pdp.value, orthrus.value, request);
      found.push(...answers.found);
      tally.count(answers.answered);
      tally.unanswered += answers.unanswered;
      tally.agree += asked - answers.unanswered - answers.found.length;
    }
    const stable = found.length === 0 ? [] : await this.#stable(set, orthrus.value, found);
    tally.unstable += found.length - stable.length;
    for (const difference of stable) {
      tally.add(difference);
      this.#onDisagreement({ ...difference, set });
    }
  }

  /** The differences that stay the same however often the PDP is started. */
  async #stable(set, orthrus, found) {
    let left = found;
    for (let start = 0; start < RESTARTS && left.length > 0; start++) {
      const pdp = await Pdp.start(this.#binary, toTexts(set.files), set.options);
      try {
        const again = [];
        for (const difference of left) {
          const { found: now } = await compareAnswers(pdp, orthrus, difference.request);
          const same = ({ kind, action, pdp: theirs }) =>
            kind === difference.kind && action === difference.action && theirs === difference.pdp;
          again.push(...(now.some(same) ? [difference] : []));
        }
        left = again;
      } finally {
        await pdp.stop();
      }
    }
    return left;
  }
}
