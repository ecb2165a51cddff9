import type { Orthrus } from "./orthrus.js";
import type {
  AuxData,
  CheckResourceRequest,
  CheckResourcesRequest,
  IsAllowedRequest,
  Principal,
  RequestOptions,
} from "./request.js";
import type { CheckResourcesResponse, CheckResourcesResult } from "./result.js";

/** The checks of an {@link Orthrus} for one principal. Made by `withPrincipal`. */
export class OrthrusWithPrincipal {
  readonly client: Orthrus;
  readonly principal: Principal;
  /** The tokens of requests that bring none of their own. */
  readonly auxData: AuxData | undefined;

  /** @internal */
  constructor(client: Orthrus, principal: Principal, auxData: AuxData | undefined) {
    this.client = client;
    this.principal = principal;
    this.auxData = auxData;
  }

  /** See {@link Orthrus.checkResources}. */
  checkResources(
    request: Omit<CheckResourcesRequest, "principal">,
    options?: RequestOptions,
  ): Promise<CheckResourcesResponse> {
    return this.client.checkResources(this.#complete(request), options);
  }

  /** See {@link Orthrus.checkResource}. */
  checkResource(
    request: Omit<CheckResourceRequest, "principal">,
    options?: RequestOptions,
  ): Promise<CheckResourcesResult> {
    return this.client.checkResource(this.#complete(request), options);
  }

  /** See {@link Orthrus.isAllowed}. */
  isAllowed(request: Omit<IsAllowedRequest, "principal">, options?: RequestOptions): Promise<boolean> {
    return this.client.isAllowed(this.#complete(request), options);
  }

  /** See {@link Orthrus.checkResourcesSync}. */
  checkResourcesSync(request: Omit<CheckResourcesRequest, "principal">): CheckResourcesResponse {
    return this.client.checkResourcesSync(this.#complete(request));
  }

  /** See {@link Orthrus.checkResourceSync}. */
  checkResourceSync(request: Omit<CheckResourceRequest, "principal">): CheckResourcesResult {
    return this.client.checkResourceSync(this.#complete(request));
  }

  /** See {@link Orthrus.isAllowedSync}. */
  isAllowedSync(request: Omit<IsAllowedRequest, "principal">): boolean {
    return this.client.isAllowedSync(this.#complete(request));
  }

  #complete<Request extends { auxData?: AuxData | undefined }>(request: Request): Request & { principal: Principal } {
    return { ...request, principal: this.principal, auxData: request?.auxData ?? this.auxData };
  }
}
