const POLYNOMIAL = 0xedb88320;

/** a · b modulo the CRC's polynomial, bits reflected: the most significant bit is x^0. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= b;
    b = b & 1 ? (b >>> 1) ^ POLYNOMIAL : b >>> 1;
  }
  return product >>> 0;
}

/** x^(8 · length) modulo the polynomial. */
function shift(length: number): number {
  let power = 0x0080_0000; // x^8: one byte
  let result = 0x8000_0000; // x^0
  for (let n = length; n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) result = multiply(power, result);
    power = multiply(power, power);
  }
  return result;
}

let lastLength = -1;
let lastShift = 0;

/** CRC-32 of A followed by B, from the CRC of each and B's length in bytes. */
export function combineCrc32(a: number, b: number, lengthOfB: number): number {
  if (lengthOfB !== lastLength) {
    lastShift = shift(lengthOfB);
    lastLength = lengthOfB;
  }
  return (multiply(lastShift, a) ^ b) >>> 0;
}
