/** Bytes of a disk, to read numbers from. */
export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Text of one byte a character; empty beyond the end. */
export function ascii(data: DataView, at: number, length: number): string {
  return String.fromCharCode(...bytesAt(data, at, length));
}

/** Two digits a byte; empty beyond the end. */
export function hex(data: DataView, at: number, length: number): string {
  return Array.from(bytesAt(data, at, length), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function bytesAt(data: DataView, at: number, length: number): Uint8Array {
  const end = Math.min(at + length, data.byteLength);
  return new Uint8Array(data.buffer, data.byteOffset + Math.min(at, end), Math.max(0, end - at));
}
