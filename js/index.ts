/** Cerbos policies, decided inside this process. Start at {@link Orthrus}. */

export type { BundleOptions, RefreshOptions } from "./bundles/options.js";
export type { BundleLoader, BundleSource, LoadedBundle, PreviousBundle } from "./bundles/source.js";
export type { BundleIdentity, BundleRefresh, BundleState } from "./bundles/state.js";
export type { Ed25519PublicJwk, TrustedKey } from "./bundles/trusted-keys.js";
export type { DecodedJWTPayload, DecodeJWTPayload } from "./engine/aux-data.js";
export { type CompileOptions, type CompileReport, compile } from "./engine/compile.js";
export type { CheckInput, CheckOutput, DecisionLogEntry, EvaluationError } from "./engine/decision-log.js";
export { type MakeBundleOptions, makeBundle } from "./engine/make-bundle.js";
export {
  type AuxDataOptions,
  type Options,
  SchemaEnforcement,
  type ValidationFailedCallback,
} from "./engine/options.js";
export { Orthrus } from "./engine/orthrus.js";
export type { PolicySource } from "./engine/policy-source.js";
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
} from "./engine/request.js";
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
} from "./engine/result.js";
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
} from "./engine/test-results.js";
export { OrthrusWithPrincipal } from "./engine/with-principal.js";
export {
  AuditError,
  BinaryError,
  BundleError,
  type BundleInvalidReason,
  type BundleUnavailableReason,
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
  UnsupportedError,
  ValidationFailed,
} from "./errors.js";
export { type Decisions, type ResourceDecisions, snapshot } from "./guards/decisions.js";
