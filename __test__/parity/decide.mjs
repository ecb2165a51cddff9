/**
 * Asks an engine everything about a set of policies and writes down what it says, text by text. Runs in Node.js and in workerd, so it
 * imports nothing: `frames` brings what the package writes compact requests with.
 *
 * A set is `{files, options, requests, bundle?}`: texts by path, the options of the engine, requests as `Native.checkJson` takes them, each
 * an object or a text, and bytes that are loaded in place of the texts.
 */

/** When all is decided: the instant of Cerbos' own cases of expressions. */
const NOW = Date.parse("2021-04-22T10:05:20.021-05:00");

/**
 * A frame is decided at the time of the engine's clock, which is another one in each of them. So where policies read it, there are frames of
 * those requests only that have the same answer at these times as well.
 */
const OTHER_TIMES = ["2001-02-03T04:05:06.789Z", "2038-11-30T21:43:17.123Z"].map(Date.parse);
const READS_CLOCK = /\bnow\b|timeSince/;

/** What a call gives, or how it fails. */
function told(call) {
  try {
    return JSON.stringify(call()) ?? "nothing";
  } catch (error) {
    return `failure: ${error.message}`;
  }
}

/** The kinds of resources that requests name, as far as they do. */
function kindsOf(requests) {
  const resources = requests.flatMap((request) => request.resources ?? []);
  return new Set(resources.map(({ resource }) => resource?.kind).filter((kind) => typeof kind === "string"));
}

/** What is known of policies once they are loaded. */
function description(native, engine, requests) {
  const kinds = [...kindsOf(requests)].map((kind) => [kind, native.resourceAttributes(engine, kind)]);
  return {
    policyCount: native.policyCount(engine),
    warnings: native.warnings(engine),
    principalAttributes: native.principalAttributes(engine),
    resourceAttributes: Object.fromEntries(kinds),
  };
}

/** The compact form of a request; `undefined` where it has to go as JSON. */
function frameOf({ writeFrame, writeCheckResources, frame }, { includeMeta, auxData, ...request }, reads) {
  const length = writeFrame(writeCheckResources, { ...request, includeMetadata: includeMeta }, auxData, reads);
  return length === 0 ? undefined : frame.slice(0, length);
}

/** The answers to a request: as it is, for an audit log and, if `asFrame`, as a frame. */
function answers(native, engine, request, { asFrame, readsClock }) {
  const text = typeof request === "string" ? request : JSON.stringify(request);
  const at = (time, audit) => told(() => native.checkJson(engine, text, time, audit));
  const answer = at(NOW);
  const isTimeless = !readsClock || OTHER_TIMES.every((time) => at(time) === answer);
  const frame = isTimeless && typeof request === "object" ? asFrame(request) : undefined;
  return [
    answer,
    at(NOW, true),
    ...(frame === undefined ? [] : [told(() => native.check(engine, frame, frame.length))]),
  ];
}

/** Loads a set by `load`, which gives an engine's number, and asks. The first text is about loading, and each other about a request. */
export function decide(native, frames, { files, requests }, load) {
  let engine;
  const loaded = told(() => {
    engine = load(native);
    return description(native, engine, requests);
  });
  if (engine === undefined) {
    return [loaded];
  }
  try {
    const reads = new frames.AttributesRead(native, engine);
    const how = {
      asFrame: (request) => frameOf(frames, request, reads),
      readsClock: Object.values(files).some((text) => READS_CLOCK.test(text)),
    };
    return [loaded, ...requests.map((request) => answers(native, engine, request, how).join("\n"))];
  } finally {
    native.close(engine);
  }
}

/** Loads a set from its bundle, if it brings one, and else from its texts. */
export function loadOf({ files, options, bundle }) {
  const settings = JSON.stringify(options);
  return (native) =>
    bundle === undefined ? native.fromFilesSync(JSON.stringify(files), settings) : native.fromBundle(bundle, settings);
}
