/** How a bundle begins, as `crates/bundle` writes it. */
export const MAGIC = [0x4f, 0x52, 0x54, 0x48, 0x52, 0x55, 0x53, 0x42];

/** How many bytes tell a bundle from anything else. */
export const MAGIC_LENGTH = MAGIC.length;

/** Whether bytes begin as a bundle. */
export function isBundle(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}
