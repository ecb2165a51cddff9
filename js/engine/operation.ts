/** The kinds of requests: how each reaches the addon, and what comes of its answer. */

import { decodeCheckResource, decodeCheckResources, decodeIsAllowed, decodeValidationErrors } from "./answer.js";
import type { AttributesRead } from "./attributes.js";
import type { AuxClaims } from "./aux-data.js";
import { encodeCheckResource, encodeCheckResources, encodeIsAllowed } from "./encode.js";
import { writeCheckResource, writeCheckResources, writeIsAllowed } from "./frame.js";
import type { Answer } from "./native.js";
import type { PolicySource } from "./policy-source.js";
import type { CheckResourceRequest, CheckResourcesRequest, IsAllowedRequest } from "./request.js";
import type { CheckResourcesResponse, CheckResourcesResult, ValidationError } from "./result.js";

/** One kind of request: to text, and from the answer. */
export interface Operation<Request, Result> {
  /** Writes a frame. */
  write(request: Request, auxClaims: AuxClaims | undefined, reads: AttributesRead): void;
  encode(request: Request, auxClaims: AuxClaims | undefined): string;
  decode(request: Request, answer: Answer, policySource: PolicySource | undefined, callId?: string): Result;
  /** What schemas refuse. */
  validationErrors(result: Result, answer: Answer): ValidationError[];
}

export const CHECK_RESOURCES: Operation<CheckResourcesRequest, CheckResourcesResponse> = {
  write: writeCheckResources,
  encode: encodeCheckResources,
  decode: decodeCheckResources,
  validationErrors: (response) => response.validationErrors,
};
export const CHECK_RESOURCE: Operation<CheckResourceRequest, CheckResourcesResult> = {
  write: writeCheckResource,
  encode: encodeCheckResource,
  decode: decodeCheckResource,
  validationErrors: (result) => result.validationErrors,
};
export const IS_ALLOWED: Operation<IsAllowedRequest, boolean> = {
  write: writeIsAllowed,
  encode: encodeIsAllowed,
  decode: (_request, answer) => decodeIsAllowed(answer),
  validationErrors: (_allowed, answer) => decodeValidationErrors(answer),
};
