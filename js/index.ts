/** Cerbos policies, decided inside this process. Start at {@link Orthrus}. */

export type { DecodedJWTPayload, DecodeJWTPayload } from "./aux-data.js";
export { type CompileOptions, type CompileReport, compile } from "./compile.js";
export type { CheckInput, CheckOutput, DecisionLogEntry, EvaluationError } from "./decision-log.js";
export { type Decisions, type ResourceDecisions, snapshot } from "./decisions.js";
export {
  BinaryError,
  ClosedError,
  type Diagnostic,
  type DiagnosticPlace,
  IdentityError,
  type IdentityErrorCode,
  JwtError,
  type JwtErrorCode,
  OptionsError,
  OrthrusError,
  PolicyError,
  RequestError,
  type RequestErrorCode,
  StoreError,
  UndecidedError,
  ValidationFailed,
} from "./errors.js";
export { type AuxDataOptions, type Options, SchemaEnforcement, type ValidationFailedCallback } from "./options.js";
export { Orthrus } from "./orthrus.js";
export type {
  AuxData,
  CheckResourceRequest,
  CheckResourcesRequest,
  IsAllowedRequest,
  JWT,
  Principal,
  RequestOptions,
  Resource,
  ResourceCheck,
  ResourceSearch,
  Value,
} from "./request.js";
export {
  CheckResourcesResponse,
  CheckResourcesResult,
  type CheckResourcesResultMetadata,
  type CheckResourcesResultMetadataEffect,
  type CheckResourcesResultResource,
  Effect,
  type OutputResult,
  type ValidationError,
  ValidationErrorSource,
} from "./result.js";
export type {
  TestCaseResult,
  TestConditionNode,
  TestDetails,
  TestOutputFailure,
  TestPlace,
  TestResult,
  TestResults,
  TestSuiteResult,
  TestSummary,
  TestTraceStep,
} from "./test-results.js";
export { OrthrusWithPrincipal } from "./with-principal.js";
