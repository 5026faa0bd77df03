import { InvalidArgumentError, Option } from 'commander';

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

/** A whole number from `least` up, and up to `most`. */
export function wholeNumber(least: number, most?: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= least && value <= (most ?? value)) return value;
    throw new InvalidArgumentError(
      `Expected a whole number from ${least} ${most === undefined ? 'up' : `to ${most}`}.`,
    );
  };
}

const GO_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a Go duration: `500ms`, `1m30s`; `0`. */
export function parseGoDuration(text: string): number {
  if (text === '0') return 0;
  if (!/^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+$/.test(text) || text.length > 40)
    throw new InvalidArgumentError('Expected a duration such as 30s or 1m30s.');
  const parts = [...text.matchAll(/([0-9.]+)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, count, unit = 's']) => sum + Number(count) * (GO_UNITS[unit] ?? 0), 0);
}

/** A flag whose default is told in help as its user would write it. */
export function optionWithDefault(
  flags: string,
  description: string,
  parse: (text: string) => number,
  text: string,
): Option {
  return new Option(flags, description).argParser(parse).default(parse(text), text);
}
