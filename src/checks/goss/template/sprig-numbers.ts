import type { GoFunction } from '../../../template/gotemplate/execute.ts';
import { decimal, integer, refuse, text } from './arguments.ts';

const MAX_COUNT = 100_000;

function fold(numbers: readonly unknown[], step: (a: number, b: number) => number): number {
  return numbers.map(integer).reduce(step);
}

function foldDecimal(numbers: readonly unknown[], step: (a: number, b: number) => number): number {
  return numbers.map(decimal).reduce(step);
}

function divide(a: unknown, b: unknown): number {
  return integer(b) === 0 ? refuse('division by zero') : Math.trunc(integer(a) / integer(b));
}

function rest(a: unknown, b: unknown): number {
  return integer(b) === 0 ? refuse('division by zero') : integer(a) % integer(b);
}

function rounded(value: unknown, digits: unknown, half: unknown = 0.5): number {
  const scale = 10 ** integer(digits);
  const scaled = decimal(value) * scale;
  const whole = Math.floor(scaled);
  return (scaled - whole >= decimal(half) ? whole + 1 : whole) / scale;
}

/** Counting up or down to a limit that does not belong to it. */
function steps(from: number, to: number, step: number): number[] {
  if (step === 0 || (to - from) / step <= 0) return [];
  const count = Math.ceil((to - from) / step);
  if (count > MAX_COUNT) return refuse(`more than ${MAX_COUNT} numbers`);
  return Array.from({ length: count }, (_, i) => from + i * step);
}

/** `seq` of the shell, its end included. */
function sequence(...args: readonly unknown[]): string {
  const numbers = args.map(integer);
  const [first = 1] = numbers;
  const [from, step, to] =
    numbers.length === 1
      ? [1, first < 1 ? -1 : 1, first]
      : numbers.length === 2
        ? [first, (numbers[1] as number) < first ? -1 : 1, numbers[1] as number]
        : [first, numbers[1] ?? 1, numbers[2] ?? 0];
  return steps(from, to + Math.sign(step), step).join(' ');
}

/** sprig's functions on numbers. */
export const numberFunctions: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['add', (...n) => fold(n, (a, b) => a + b)],
  ['add1', (n) => integer(n) + 1],
  ['sub', (a, b) => integer(a) - integer(b)],
  ['mul', (...n) => fold(n, (a, b) => a * b)],
  ['div', divide],
  ['mod', rest],
  ['max', (...n) => fold(n, (a, b) => Math.max(a, b))],
  ['biggest', (...n) => fold(n, (a, b) => Math.max(a, b))],
  ['min', (...n) => fold(n, (a, b) => Math.min(a, b))],
  ['addf', (...n) => foldDecimal(n, (a, b) => a + b)],
  ['add1f', (n) => decimal(n) + 1],
  ['subf', (...n) => foldDecimal(n, (a, b) => a - b)],
  ['mulf', (...n) => foldDecimal(n, (a, b) => a * b)],
  ['divf', (...n) => foldDecimal(n, (a, b) => a / b)],
  ['maxf', (...n) => foldDecimal(n, (a, b) => Math.max(a, b))],
  ['minf', (...n) => foldDecimal(n, (a, b) => Math.min(a, b))],
  ['floor', (n) => Math.floor(decimal(n))],
  ['ceil', (n) => Math.ceil(decimal(n))],
  ['round', rounded],
  ['int', integer],
  ['int64', integer],
  ['float64', decimal],
  ['atoi', integer],
  ['toDecimal', (s) => Number.parseInt(text(s), 8) || 0],
  ['until', (n) => steps(0, integer(n), integer(n) < 0 ? -1 : 1)],
  ['untilStep', (from, to, step) => steps(integer(from), integer(to), integer(step))],
  ['seq', sequence],
]);
