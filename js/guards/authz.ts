import type { Orthrus } from "../engine/orthrus.js";
import type { AuxData, Principal, Resource, ResourceCheck } from "../engine/request.js";
import type { CheckResourcesResponse, CheckResourcesResult, OutputResult } from "../engine/result.js";
import { type Decisions, snapshot } from "./decisions.js";

/** What the guards need of an {@link Orthrus}. */
export type Engine = Pick<Orthrus, "checkResource" | "checkResources" | "checkResourceSync">;

/** What a guard has decided, and further questions for the same principal. The frameworks put it on the request. */
export class Authz {
  readonly principal: Principal;
  readonly resource: Resource;
  /** The action that the guard has allowed. */
  readonly action: string;
  /** The decisions of the guard: the action's and those of `also`. */
  readonly result: CheckResourcesResult;
  readonly #engine: Engine;
  readonly #auxData: AuxData | undefined;

  /** @internal */
  constructor(
    engine: Engine,
    question: { principal: Principal; resource: Resource; action: string; auxData: AuxData | undefined },
    result: CheckResourcesResult,
  ) {
    this.principal = question.principal;
    this.resource = question.resource;
    this.action = question.action;
    this.result = result;
    this.#engine = engine;
    this.#auxData = question.auxData;
  }

  /** What the rules put out for the actions of the guard. */
  get outputs(): readonly OutputResult[] {
    return this.result.outputs;
  }

  /**
   * Whether the principal may do something else, with the same resource or another. One that was looked for and is not there
   * (`null` or `undefined`) is denied, and never taken for the guard's. It is no promise, so that a forgotten `await` cannot
   * allow anything. Throws what {@link Orthrus.checkResourceSync} throws; name the actions in `also` where tokens in `auxData`
   * are verified asynchronously.
   */
  isAllowed(action: string, ...another: [resource?: Resource | null | undefined]): boolean {
    const [resource] = another.length === 0 ? [this.resource] : another;
    if (resource === null || resource === undefined) {
      return false;
    }
    const decided = another.length === 0 ? this.result.isAllowed(action) : undefined;
    if (decided !== undefined) {
      return decided;
    }
    const request = { principal: this.principal, resource, actions: [action], auxData: this.#auxData };
    return this.#engine.checkResourceSync(request).isAllowed(action) === true;
  }

  /** Decides several actions on several resources for the principal. */
  checkResources(resources: ResourceCheck[]): Promise<CheckResourcesResponse> {
    return this.#engine.checkResources({ principal: this.principal, resources, auxData: this.#auxData });
  }

  /** The decisions for `<AuthzProvider>` of `orthrus/react`; of the guard itself unless resources are given. */
  async snapshot(resources?: ResourceCheck[]): Promise<Decisions> {
    return snapshot(resources === undefined ? this.result : await this.checkResources(resources));
  }
}
