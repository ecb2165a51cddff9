/** Clients that nobody here wrote, and what they are made of. */

export { create, createFileRegistry, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
export { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
export { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
export { GRPC } from "@cerbos/grpc";
export { HTTP } from "@cerbos/http";
export { default as grpc } from "@grpc/grpc-js";
