const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C (Castagnoli; RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  return ~continueCrc32c(0xffff_ffff, bytes) >>> 0;
}

/** The register after `bytes`, without the inversion at either end: what ext4 stores, and goes on from. */
export function continueCrc32c(register: number, bytes: Uint8Array): number {
  let crc = register;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return crc >>> 0;
}
