import { IngotError } from '../core/error.ts';
import { goFloat } from './go-scalars.ts';
import { settleAll } from './settle-all.ts';
import {
  describeReference,
  parseReference,
  quoteForReference,
  type Reference,
  type ReferenceKind,
} from './reference.ts';
import { type FoundReference, scan } from './scan.ts';

/** Answers the value of a reference. */
export type Lookup = (reference: Reference) => Promise<unknown>;

export interface ExpandOptions {
  readonly lookup: Lookup;
  /** Which references are expanded; default: both. */
  readonly kinds?: readonly ReferenceKind[];
  /** Also expands references that stand in fetched values, as deep as this says. Default 0: a value is only data. */
  readonly valueDepth?: number;
}

/**
 * Replaces the references of a text by their values, all at the same time. A text that is one reference and nothing else
 * becomes its value with its type. Throws what `lookup` throws, and `secrets/not-scalar` for a map within a text.
 */
export async function expandText(text: string, options: ExpandOptions): Promise<unknown> {
  const pieces = scan(text, options.kinds);
  const values = await settleAll(
    pieces.map(async (piece) => (typeof piece === 'string' ? piece : await resolveFound(piece, options))),
  );
  const [first] = pieces;
  if (pieces.length === 1 && typeof first === 'object') return values[0];
  return values
    .map((value, i) => {
      const piece = pieces[i];
      return typeof piece === 'object' ? scalarText(value, piece) : piece;
    })
    .join('');
}

async function resolveFound(found: FoundReference, options: ExpandOptions): Promise<unknown> {
  const parts = await settleAll(
    found.pieces.map(async (piece) =>
      typeof piece === 'string' ? piece : insertable(await resolveFound(piece, options), piece),
    ),
  );
  // Two values may be harmless, and lead out of the folder side by side.
  const written = found.pieces.map((piece) => (typeof piece === 'string' ? piece : '-'));
  if (climbsOf(parts) > climbsOf(written)) throw hostile(`a value within ${shown(found)}`);
  const value = await options.lookup(parseReference(parts.join('')));
  const depth = options.valueDepth ?? 0;
  if (depth === 0 || typeof value !== 'string') return value;
  return await expandText(value, { ...options, valueDepth: depth - 1 });
}

/** A value that becomes part of the reference around it. It can't lead out of the folder that stands there. */
function insertable(value: unknown, found: FoundReference): string {
  const text = scalarText(value, found);
  if (climbsOf([text]) > 0) throw hostile(`the value of ${shown(found)}`);
  return quoteForReference(text);
}

/** How often a path leads one folder up. */
function climbsOf(parts: readonly string[]): number {
  return parts
    .join('')
    .split(/[/?#]/)
    .filter((segment) => segment === '..').length;
}

function hostile(what: string): IngotError {
  const message = `${what} makes a ".." in another reference's path`;
  return new IngotError('secrets/hostile-value', message, {
    hint: 'Store the name without "..", or write the path out.',
  });
}

/** A value as part of a text. Throws `secrets/not-scalar`. */
export function scalarText(value: unknown, found: FoundReference): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return goFloat(value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  const what = value === null || value === undefined ? 'nothing' : Array.isArray(value) ? 'a list' : 'a map';
  throw new IngotError(
    'secrets/not-scalar',
    `${shown(found)} holds ${what}; within a text it must be a text, a number or a boolean`,
    { hint: 'Add a fragment that names one value (#/key), or let the reference stand alone.' },
  );
}

/** The reference as it was written, for messages. */
function shown(found: FoundReference): string {
  return describeReference(found.source);
}
