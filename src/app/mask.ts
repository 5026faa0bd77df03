import { IngotError } from '../core/error.ts';
import type { Emit } from '../core/event.ts';

/** Shorter values would mask half of every log. Packer masks everything; a secret of one letter is none. */
const SHORTEST = 3;

/** Texts that must not be shown. */
export interface Mask {
  add(secret: string): void;
  isEmpty(): boolean;
  /** The text with every secret replaced. */
  hide(text: string): string;
}

/** A mask for these texts, and for those that it learns later. */
export function createMask(secrets: readonly string[] = []): Mask {
  const values = new Set<string>();
  let longestFirst: readonly string[] = [];
  const add = (secret: string): void => {
    const before = values.size;
    // A line of a many-line secret counts, too.
    for (const part of [secret, ...secret.split('\n')]) if (part.length >= SHORTEST) values.add(part);
    // So that a secret that contains another goes whole.
    if (values.size > before) longestFirst = [...values].sort((a, b) => b.length - a.length);
  };
  for (const secret of secrets) add(secret);
  return {
    add,
    isEmpty: () => values.size === 0,
    hide: (text) => longestFirst.reduce((t, v) => t.replaceAll(v, '<sensitive>'), text),
  };
}

/** `emit` with every secret value replaced, in whatever field of the event it stands. */
export function maskingEmit(emit: Emit, mask: Mask): Emit {
  return (event) => emit(hideIn(event, mask));
}

/** Plain data with every secret replaced. `except`: keys whose own texts stay, since they are words of ours or digests. */
export function hideIn<T>(data: T, mask: Mask, except: ReadonlySet<string> = new Set()): T {
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return mask.hide(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
      return Object.fromEntries(
        Object.entries(value).map(([k, v]) => [k, typeof v === 'string' && except.has(k) ? v : walk(v)]),
      );
    return value;
  };
  return mask.isEmpty() ? data : (walk(data) as T);
}

/** The same error, and those that it holds, with every secret replaced: messages, output, stacks. */
export function maskError(thrown: unknown, mask: Mask): unknown {
  if (!(thrown instanceof Error) || mask.isEmpty()) return thrown;
  const error = thrown instanceof IngotError ? withMaskedText(thrown, mask) : thrown;
  error.message = mask.hide(error.message);
  if (error.stack !== undefined) error.stack = mask.hide(error.stack);
  const holds = error as { cause?: unknown; errors?: unknown; error?: unknown; suppressed?: unknown };
  if (holds.cause !== undefined) holds.cause = maskError(holds.cause, mask);
  // AggregateError and SuppressedError hold errors of their own.
  if (Array.isArray(holds.errors)) holds.errors = holds.errors.map((one) => maskError(one, mask));
  if (error.name === 'SuppressedError') {
    holds.error = maskError(holds.error, mask);
    holds.suppressed = maskError(holds.suppressed, mask);
  }
  return error;
}

function withMaskedText(error: IngotError, mask: Mask): IngotError {
  const { code, message, hint, range, step, exitCode, output, cause, stack } = error;
  const copy = new IngotError(code, message, {
    exitCode,
    output: output.map((line) => mask.hide(line)),
    ...(cause !== undefined && { cause }),
    ...(hint !== undefined && { hint: mask.hide(hint) }),
    ...(range && { range }),
    ...(step !== undefined && { step }),
  });
  if (stack !== undefined) copy.stack = stack;
  return copy;
}
