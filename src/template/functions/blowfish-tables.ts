/** Words of 32 bits that Blowfish starts from: 18 subkeys and four boxes of 256. */
export const WORDS = 18 + 4 * 256;

/**
 * The first fractional bits of π, which Blowfish's tables are (Schneier 1993), in words of 32 bits. Computed by Machin's
 * formula, π = 16·atan(1/5) − 4·atan(1/239), which takes a few milliseconds once.
 */
export function piWords(): Uint32Array {
  const bits = BigInt(32 * WORDS);
  const guard = 64n;
  const one = 1n << (bits + guard);
  const fraction = (16n * arctanOfInverse(5n, one) - 4n * arctanOfInverse(239n, one) - 3n * one) >> guard;
  const hex = fraction.toString(16).padStart(8 * WORDS, '0');
  return Uint32Array.from({ length: WORDS }, (_, i) => Number.parseInt(hex.slice(8 * i, 8 * i + 8), 16));
}

/** atan(1/x) in units of 1/`one`. */
function arctanOfInverse(x: bigint, one: bigint): bigint {
  const square = x * x;
  let term = one / x;
  let sum = term;
  for (let n = 3n, sign = -1n; term !== 0n; n += 2n, sign = -sign) {
    term /= square;
    sum += (sign * term) / n;
  }
  return sum;
}
