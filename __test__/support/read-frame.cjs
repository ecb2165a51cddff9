"use strict";

/** Reads a frame (see `src/contract/frame.rs`) as the JSON request that says the same. */
exports.readFrame = function readFrame(bytes, length) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let at = 0;
  const byte = () => view.getUint8(at++);
  const short = () => {
    at += 2;
    return view.getUint16(at - 2, true);
  };
  const chars = (count) => {
    at += count;
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(at - count, at));
  };
  const AS_BEFORE = 0xffff;
  const text = () => chars(short());
  const json = () => {
    at += 4;
    return JSON.parse(chars(view.getUint32(at - 4, true)));
  };
  const number = () => {
    at += 8;
    return view.getFloat64(at - 8, true);
  };
  const list = (item, length = short()) => Array.from({ length }, item);
  const values = [() => null, () => false, () => true, number, text, json];
  const value = () => values[byte()]();
  const attributes = (length) => Object.fromEntries(list(() => [text(), value()], length));
  // What is at its default is left out, as it is in JSON.
  const subject = (fields) =>
    Object.fromEntries(
      Object.entries(fields).filter(
        ([, value]) => value !== "" && (Array.isArray(value) || Object.keys(value).length > 0),
      ),
    );

  const flags = byte();
  const principalHead = { id: text(), policyVersion: text(), scope: text(), roles: list(text) };
  const principal = subject({ ...principalHead, attr: attributes() });
  const auxData = flags & 2 ? { auxData: json() } : {};
  let before;
  const resources = list(() => {
    const orAsBefore = (read, known) => {
      const length = short();
      return length === AS_BEFORE ? known() : read(length);
    };
    const kind = orAsBefore(chars, () => before.kind);
    const head = { kind, id: text(), policyVersion: text(), scope: text() };
    const valuesAlone = () => Object.fromEntries(Object.keys(before.attr).map((name) => [name, value()]));
    const attr = orAsBefore(attributes, valuesAlone);
    const actions = orAsBefore(
      (length) => list(text, length),
      () => before.actions,
    );
    before = { kind, attr, actions };
    return { resource: subject({ ...head, attr }), actions };
  });
  if (at !== length) {
    throw new Error(`the frame has ${length} bytes, and only ${at} were read`);
  }
  return { ...(flags & 1 ? { includeMeta: true } : {}), ...auxData, principal, resources };
};
