import type { StringFormat } from '../../core/body-spec.ts';

const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const DURATION = /^[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$/;

/** Go's durations ("1h5m", "300ms", "0") in milliseconds, as time.ParseDuration reads them; undefined for others. */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (text.length > 100 || !DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9.]+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * (UNITS_MS[unit as string] as number);
  }
  return text.startsWith('-') ? -total : total;
}

const SIZE = /^([0-9]+)\s*(?:([KMGTP])(?:i?B)?|B)?$/i;

/** "2G", "2048M", "512" in bytes, units being powers of 1024; undefined for others. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text);
  if (!match) return undefined;
  const power = match[2] === undefined ? 0 : 'KMGTP'.indexOf(match[2].toUpperCase()) + 1;
  const bytes = Number(match[1]) * 1024 ** power;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** "0644" or "644" as the number; undefined for others. */
export function parseOctal(text: string): number | undefined {
  return /^(?:0o)?[0-7]{1,7}$/.test(text) ? Number.parseInt(text.replace(/^0o/, ''), 8) : undefined;
}

interface Format {
  readonly parse: (text: string) => number | undefined;
  readonly expected: string;
}

export const FORMATS: Readonly<Record<StringFormat, Format>> = {
  duration: { parse: parseDuration, expected: 'a duration with its unit, such as "90s", "5m" or "1h30m"' },
  size: { parse: parseSize, expected: 'a size such as "512M" or "2G" (powers of 1024)' },
  octal: { parse: parseOctal, expected: 'permissions in octal digits, such as "0644"' },
};
