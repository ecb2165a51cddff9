/** An engine stands where a Cerbos client stood: same requests, same results. Compiled, never run. */

import type * as Cerbos from "@cerbos/core";
import {
  type CheckResourcesRequest,
  type CompileReport,
  compile,
  type DecisionLogEntry,
  Effect,
  type IsAllowedRequest,
  Orthrus,
  type Principal,
  SchemaEnforcement,
} from "orthrus";

declare const orthrus: Orthrus;

export const client: Pick<Cerbos.Client, "checkResources" | "checkResource" | "isAllowed"> = orthrus;
export const withPrincipal: Pick<Cerbos.ClientWithPrincipal, "checkResources" | "checkResource" | "isAllowed"> =
  orthrus.withPrincipal({ id: "ann", roles: ["user"] });

declare const entry: DecisionLogEntry;
export const cerbosEntry: Cerbos.DecisionLogEntry = entry;

declare const cerbosRequest: Cerbos.CheckResourcesRequest;
export const request: CheckResourcesRequest = cerbosRequest;
declare const cerbosIsAllowed: Cerbos.IsAllowedRequest;
export const isAllowed: IsAllowedRequest = cerbosIsAllowed;
declare const cerbosPrincipal: Cerbos.Principal;
export const principal: Principal = cerbosPrincipal;
declare const cerbosOptions: Cerbos.RequestOptions;
export const response: Promise<Cerbos.CheckResourcesResponse> = orthrus.checkResources(cerbosRequest, cerbosOptions);

export async function results(): Promise<void> {
  const result = await orthrus.checkResource({
    principal: { id: "ann", roles: ["user"], attr: { level: 1, tags: ["a"], nested: { a: null } } },
    resource: { kind: "document", id: "1" },
    actions: ["view"],
    auxData: { jwts: { session: { token: "t" } } },
  });
  const allowed: boolean | undefined = result.isAllowed("view");
  const effect: Effect | undefined = result.actions["view"];
  const error: string | undefined = result.outputs[0]?.error;
  console.log(allowed, effect === Effect.ALLOW, error, result.metadata?.effectiveDerivedRoles);
}

declare const callback: Cerbos.ValidationFailedCallback;
Orthrus.openSync("policies", { schemaEnforcement: SchemaEnforcement.WARN, onValidationError: callback });
Orthrus.openSync("policies", { schemaEnforcement: "reject", onValidationError: "throw" });
// @ts-expect-error: there is no such mode
Orthrus.openSync("policies", { schemaEnforcement: "strict" });

// @ts-expect-error: there is no such option
Orthrus.openSync("policies", { lenient: true });
// @ts-expect-error: a principal has roles
orthrus.isAllowedSync({ principal: { id: "ann" }, resource: { kind: "document", id: "1" }, action: "view" });
// @ts-expect-error: attributes are what JSON can carry
export const unencodable: Principal = { id: "ann", roles: ["user"], attr: { n: 1n } };
// @ts-expect-error: engines are opened, not constructed
new Orthrus();

export async function tested(): Promise<boolean> {
  const report: CompileReport = await compile("policies", { testFilter: ["suite=a"], trace: true });
  const [action] = report.tests?.suites?.[0]?.testCases?.[0]?.principals[0]?.resources[0]?.actions ?? [];
  const step = action?.details.trace?.[0];
  console.log(
    step !== undefined && "place" in step ? step.place?.line : action?.details.failure?.actual === Effect.DENY,
  );
  return report.ok;
}
// @ts-expect-error: there is no such option
compile("policies", { skipTest: true });
