/** What came of policy tests: the JSON of Cerbos' `TestResults`, in which what is empty or zero is absent. */

import type { Effect, ValidationErrorSource } from "./result.js";

/** How a test, a suite or a run ended. */
export type TestResult = "RESULT_SKIPPED" | "RESULT_PASSED" | "RESULT_FAILED" | "RESULT_ERRORED";

/** The results of all suites. */
export interface TestResults {
  /** In the order of files. */
  suites?: TestSuiteResult[];
  summary: TestSummary;
}

/** How many tests ended how. Tests that a filter leaves out are not counted. */
export interface TestSummary {
  /** The worst result; absent where nothing was run. */
  overallResult?: TestResult;
  /** How many tests there are: each action is one. */
  testsCount?: number;
  resultCounts?: { result: TestResult; count: number }[];
}

/** The results of one suite. */
export interface TestSuiteResult {
  /** The path of its file below the policy directory. */
  file: string;
  /** `Unknown` where the file cannot be read. */
  name: string;
  description?: string;
  summary: TestSummary;
  /** Why it could not be run. */
  error?: string;
  /** Why it was left out. */
  skipReason?: string;
  testCases?: TestCaseResult[];
}

/** The results of one test, by principal, resource and action. */
export interface TestCaseResult {
  name: string;
  principals: {
    name: string;
    resources: {
      name: string;
      actions: { name: string; details: TestDetails }[];
    }[];
  }[];
}

/** What came of one action; of `success`, `failure`, `error` and `skipReason` there is one. */
export interface TestDetails {
  result: TestResult;
  /** It was as expected. `outputs` are all outputs of the action, expected or not. */
  success?: { effect: Effect; outputs?: { src: string; action: string; val?: unknown; error?: string }[] };
  /** It was not. With `outputs` the effects are the same, and these outputs are not as expected. */
  failure?: { expected: Effect; actual: Effect; outputs?: TestOutputFailure[] };
  /** It could not be decided, and why. */
  error?: string;
  /** It was left out, and why; `""` where the suite gives no reason. */
  skipReason?: string;
  /** The rules that were looked at, the expressions that raised errors, what schemas refuse; with the option `trace`. */
  trace?: TestTraceStep[];
}

/** An output that was not as expected: it has another value, there is none, or its expression raised an error. */
export interface TestOutputFailure {
  src: string;
  mismatched?: { expected?: unknown; actual: unknown };
  missing?: { expected?: unknown };
  errored?: { expected?: unknown; error: string };
}

/** A rule that was looked at, another expression that raised an error, or attributes that a schema refuses. */
export type TestTraceStep =
  | {
      /** The key of the policy, such as `resource.document.vdefault`. */
      policy: string;
      /** Empty where a role policy has no rule for the action. */
      rule: string;
      scope: string;
      /** The role of the principal by which the rule was found; empty in principal policies. */
      role: string;
      outcome: `${Effect}` | "conditionNotMet" | "derivedRoleNotHeld" | "error";
      place?: TestPlace;
      /** The derived role that the rule needs, where it was found by one; without a condition it is held. */
      derivedRole?: { name: string; policy: string; place?: TestPlace; condition?: TestConditionNode };
      /** What came of the condition of the rule, where it has one and it was evaluated. */
      condition?: TestConditionNode;
    }
  | { expression: string; error: string }
  | { source: `${ValidationErrorSource}`; path: string; message: string };

/** Where something is written; lines and columns count from 1. */
export interface TestPlace {
  file: string;
  line: number;
  column: number;
}

/** A node of a condition as it is written, and what came of it. */
export interface TestConditionNode {
  kind: "expr" | "all" | "any" | "none";
  /** The text of an expression. */
  expression?: string;
  /** What an expression gave, or whether the node holds; it holds where this is `true`. */
  value?: unknown;
  /** What the expression raised. Without a value and an error, others had decided before, or a part raised an error in strict mode. */
  error?: string;
  place?: TestPlace;
  /** The nodes below `all`, `any` and `none`. */
  of?: TestConditionNode[];
}
