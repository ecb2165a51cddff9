import { OptionsError } from "../errors.js";
import { isRecord } from "../identity/identity.js";
import {
  type BundleSource,
  type BundleSourceOptions,
  checkLimits,
  hasMethod,
  type LoadedBundle,
  limitedSource,
  readBounded,
  requireName,
  requireSize,
  Unavailable,
} from "./source.js";

/** What a `GetObjectCommand` takes, as far as a source gives it. */
export interface S3BundleInput {
  Bucket: string | undefined;
  Key: string | undefined;
  IfNoneMatch?: string | undefined;
}

/** What a source needs of an `S3Client` of `@aws-sdk/client-s3`. */
export interface BundleS3Client<Command> {
  send(command: Command, options: { abortSignal: AbortSignal }): Promise<unknown>;
}

/** What the answer to a `GetObjectCommand` has. */
interface S3Object {
  Body?: { transformToWebStream(): ReadableStream<Uint8Array> };
  ContentLength?: number;
  ETag?: string;
}

/**
 * A bundle in a bucket of S3, or of a storage with its API, by a client that exists:
 *
 * ```js
 * s3Bundle(new S3Client({ region: "eu-central-1" }), GetObjectCommand, { Bucket: "acme", Key: "policies.orb" });
 * ```
 *
 * `location` may have whatever else the command takes. The bundle is asked for with the ETag that it had, so that one which has not changed does not travel. Throws an `OptionsError`.
 */
export function s3Bundle<Input extends S3BundleInput, Command>(
  client: BundleS3Client<NoInfer<Command>>,
  GetObjectCommand: new (input: Input) => Command,
  location: NoInfer<Input>,
  options: BundleSourceOptions = {},
): BundleSource {
  const limits = checkLimits(options);
  if (!hasMethod(client, "send")) {
    throw new OptionsError("client", "must be an S3Client of @aws-sdk/client-s3");
  }
  if (typeof GetObjectCommand !== "function") {
    throw new OptionsError("GetObjectCommand", "must be the class of that name of @aws-sdk/client-s3");
  }
  if (!isRecord(location)) {
    throw new OptionsError("location", "must be an object with Bucket and Key");
  }
  const name = `s3://${requireName(location.Bucket, "Bucket")}/${requireName(location.Key, "Key")}`;
  return limitedSource(name, limits, async (previous, signal): Promise<LoadedBundle | "unchanged"> => {
    const condition = previous?.etag === undefined ? {} : { IfNoneMatch: previous.etag };
    const command = new GetObjectCommand({ ...location, ...condition });
    let object: S3Object;
    try {
      object = (await client.send(command, { abortSignal: signal })) as S3Object;
    } catch (error) {
      return unchangedOrThrow(error, previous !== undefined);
    }
    return readObject(object, limits.maxBytes);
  });
}

async function readObject({ Body, ContentLength, ETag }: S3Object, maxBytes: number): Promise<LoadedBundle> {
  if (Body === undefined) {
    throw new Unavailable("failed", "the answer has no body");
  }
  const stream = Body.transformToWebStream();
  try {
    requireSize(ContentLength, maxBytes);
  } catch (error) {
    stream.cancel().catch(() => undefined);
    throw error;
  }
  return { bytes: await readBounded(stream, maxBytes), etag: ETag };
}

/** The client tells by errors that an object has not changed, or that there is none. */
function unchangedOrThrow(error: unknown, mayBeUnchanged: boolean): "unchanged" {
  const { httpStatusCode } = (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata ?? {};
  if (httpStatusCode === 304 && mayBeUnchanged) {
    return "unchanged";
  }
  const { name, message } = error as Error;
  const told = `${name}${message && message !== name ? `: ${message}` : ""}`;
  if (httpStatusCode === 404) {
    throw new Unavailable("not-found", `there is none (${told})`, { cause: error });
  }
  if (httpStatusCode !== undefined && httpStatusCode >= 300) {
    throw new Unavailable("status", `the answer is HTTP ${httpStatusCode} (${told})`, { cause: error });
  }
  throw error;
}
