/** A gRPC client that knows services by reflection alone: messages go in and out as the JSON of protobuf. */

import {
  BinaryReader,
  BinaryWriter,
  create,
  createFileRegistry,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  fromBinary,
  fromJson,
  grpc,
  toBinary,
  toJson,
} from "./clients/index.mjs";

/** A client of an address; `call` gives `{ code, message, response, details }`, and `violations` tells what is in the details. */
export async function reflectedClient(address, symbols, credentials = grpc.credentials.createInsecure()) {
  const client = new grpc.Client(address, credentials);
  const files = new Map();
  const add = (bytes) => {
    const file = fromBinary(FileDescriptorProtoSchema, bytes);
    files.set(file.name, file);
  };
  for (const symbol of symbols) {
    (await describe(client, SYMBOL, symbol)).forEach(add);
  }
  const missing = () => [...files.values()].flatMap(({ dependency }) => dependency).find((name) => !files.has(name));
  for (let name = missing(); name !== undefined; name = missing()) {
    (await describe(client, FILE, name)).forEach(add);
  }
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: sorted(files) }));
  return {
    async call(service, method, json, metadata = {}) {
      const { input, output } = registry.getService(service).methods.find(({ name }) => name === method);
      const request = fromJson(input, json, { registry });
      const { error, response, details } = await unary(
        client,
        `/${service}/${method}`,
        toBinary(input, request),
        metadata,
      );
      return error === undefined
        ? { code: 0, response: toJson(output, fromBinary(output, response), { registry }) }
        : { code: error.code, message: error.details, details };
    },
    violations: (details) => violations(details, registry),
    close: () => client.close(),
  };
}

/** What `grpc-status-details-bin` holds: a `google.rpc.Status`, with what is wrong with each field. */
function violations(details, registry) {
  const schema = registry.getMessage("buf.validate.Violations");
  const of = (bytes, wanted) =>
    fields(bytes)
      .filter(([number]) => number === wanted)
      .map(([, inner]) => inner);
  return of(details, 3).flatMap((any) => {
    const [type, value] = [of(any, 1)[0], of(any, 2)[0]];
    const url = Buffer.from(type).toString();
    return url.endsWith("/buf.validate.Violations") ? toJson(schema, fromBinary(schema, value)).violations : [{ url }];
  });
}

function unary(client, path, bytes, headers) {
  const metadata = new grpc.Metadata();
  Object.entries(headers).forEach(([name, value]) => {
    metadata.set(name, value);
  });
  return new Promise((resolve) => {
    const same = (value) => value;
    client.makeUnaryRequest(path, same, same, Buffer.from(bytes), metadata, (error, response) => {
      resolve(error === null ? { response } : { error, details: error.metadata?.get("grpc-status-details-bin")[0] });
    });
  });
}

/** Fields of the request of reflection (grpc.reflection.v1). */
const FILE = 3;
const SYMBOL = 4;

/** The file of a name, or that a symbol is in, with what the server sends beside it. */
function describe(client, field, name) {
  const request = new BinaryWriter().tag(field, 2).string(name).finish();
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const same = (value) => value;
  const stream = client.makeBidiStreamRequest(path, same, same);
  return new Promise((resolve, reject) => {
    stream.on("error", reject);
    stream.on("data", (bytes) => {
      stream.end();
      resolve(fileDescriptors(bytes));
    });
    stream.write(Buffer.from(request));
  });
}

function fileDescriptors(bytes) {
  const files = [];
  for (const [, inner] of fields(bytes).filter(([number]) => number === 4)) {
    files.push(
      ...fields(inner)
        .filter(([number]) => number === 1)
        .map(([, file]) => file),
    );
  }
  if (files.length === 0) {
    throw new Error("reflection does not know it");
  }
  return files;
}

function fields(bytes) {
  const reader = new BinaryReader(bytes);
  const found = [];
  while (reader.pos < reader.len) {
    const [number, kind] = reader.tag();
    if (kind === 2) {
      found.push([number, reader.bytes()]);
    } else {
      reader.skip(kind);
    }
  }
  return found;
}

/** Each file after those that it imports. */
function sorted(files) {
  const list = [];
  const add = (name) => {
    const file = files.get(name);
    if (file !== undefined && !list.includes(file)) {
      file.dependency.forEach(add);
      list.push(file);
    }
  };
  [...files.keys()].forEach(add);
  return list;
}
