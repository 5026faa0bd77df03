import { InvalidArgumentError } from 'commander';

const HOUR = 3600 * 1000;
const milliseconds = {
  s: 1000,
  m: 60_000,
  h: HOUR,
  d: 24 * HOUR,
  w: 7 * 24 * HOUR,
} as const;

/** Milliseconds of `90s`, `36h`, `30d`, `2w`. */
export function parseAge(text: string): number {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  if (!match) throw new InvalidArgumentError('Expected a number and s, m, h, d or w: 30d.');
  return Number(match[1]) * milliseconds[match[2] as keyof typeof milliseconds];
}

/** Bytes of `512M`, `20G`, `1T` (powers of 1024) or a plain number. */
export function parseSize(text: string): number {
  const match = /^(\d{1,15})([KMGT]?)i?B?$/i.exec(text);
  if (!match) throw new InvalidArgumentError('Expected a number and K, M, G or T: 20G.');
  const bytes = Number(match[1]) * 1024 ** ('KMGT'.indexOf((match[2] as string).toUpperCase()) + 1);
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError('That is too large.');
  return bytes;
}

/** A whole number from `least` up. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,9}$/.test(text) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number from ${least} up.`);
    }
    return value;
  };
}
