/** Little-endian integers, the only kind that the wire protocol has. The caller has checked that they are there. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Where the zero byte stands that ends the C string beginning at `at`, or -1 when none stands before `end`. */
export function endOfCString(bytes: Uint8Array, at: number, end: number): number {
  const zero = bytes.indexOf(0, at);
  return zero < end ? zero : -1;
}
