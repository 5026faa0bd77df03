import { attr, bodySpec, type OptionProblem } from '../core/body-spec.ts';
import { type Context, note } from '../core/context.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { Removed } from '../core/plugin.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { nearest } from '../template/index.ts';
import { sealOperations } from './operations.ts';
import { proveSealed } from './prove.ts';

export { sealOperations } from './operations.ts';
export { proveSealed, type SealFinding } from './prove.ts';

/** Bump when a sealed image is searched for its builder in another way. */
const SEARCH_VERSION = 1;

/** Changes with the operations, their order and their versions: 48 bits of a digest of them. */
export const SEAL_VERSION = Number.parseInt(
  hexOf(digestOf([...sealOperations.map((o) => [o.name, o.version]), ['builder', SEARCH_VERSION]])).slice(
    0,
    12,
  ),
  16,
);

/** The `seal` block of an image file. */
export const sealSpec = bodySpec(
  {
    enabled: attr.bool('Whether the image is sealed at all.', { default: true }),
    skip: attr.strings('Operations to leave out.', { default: [] }),
    search_builder: attr.bool('Whether the image may not name the machine and the person that build it.', {
      default: true,
    }),
  },
  {},
  (o): OptionProblem[] =>
    o.skip.flatMap((name, i) => {
      const unknown = unknownName(name);
      return unknown ? [{ path: ['skip', i], ...unknown }] : [];
    }),
);

export interface SealOptions {
  /** Default true. */
  readonly enabled?: boolean;
  /** Names of operations to leave out. */
  readonly skip: readonly string[];
  /** Whether the sealed image is searched for what names its builder; default true. That is the caller's work. */
  readonly search_builder?: boolean;
}

export interface SealReport {
  /** One line over all operations. */
  readonly summary: string;
  readonly operations: readonly {
    readonly name: string;
    readonly skipped: boolean;
    readonly removed: readonly Removed[];
  }[];
}

/**
 * Removes identity and residue from an unbooted image, then proves it (proveSealed). Throws `seal/unknown-operation`
 * for a name in `skip`, and `seal/not-sealed` with the paths that are still there.
 */
export async function sealImage(root: Rootfs, options: SealOptions, ctx: Context): Promise<SealReport> {
  for (const name of options.skip) {
    const unknown = unknownName(name);
    if (unknown)
      throw new IngotError(
        'seal/unknown-operation',
        unknown.message,
        unknown.hint ? { hint: unknown.hint } : {},
      );
  }
  if (options.enabled === false) return { summary: 'switched off', operations: [] };
  const operations = [];
  for (const operation of sealOperations) {
    ctx.signal.throwIfAborted();
    const skipped = options.skip.includes(operation.name);
    const removed = skipped ? [] : ((await operation.offline?.(root, ctx)) ?? []);
    if (removed.length > 0) note(ctx, `${operation.name}: ${describe(removed)}`);
    operations.push({ name: operation.name, skipped, removed });
  }
  const left = proveSealed(root, options.skip);
  if (left.length > 0) {
    throw new IngotError(
      'seal/not-sealed',
      `after sealing, the image still holds ${left.length} things to remove`,
      {
        hint: 'This is a defect of a seal operation; please report the paths below.',
        output: left.slice(0, 20).map((f) => `${f.operation}: ${f.message}`),
      },
    );
  }
  return { summary: describe(operations.flatMap((o) => o.removed)), operations };
}

function unknownName(name: string): { readonly message: string; readonly hint?: string } | undefined {
  const names = sealOperations.map((operation) => operation.name);
  if (names.includes(name)) return undefined;
  const near = nearest(name, names);
  return {
    message: `there is no seal operation "${name}"; expected one of ${names.join(', ')}`,
    ...(near !== undefined && { hint: `Did you mean "${near}"?` }),
  };
}

/** `12 files removed, 2 written, 1.4 MB`. */
function describe(removed: readonly Removed[]): string {
  const sum = (of: readonly Removed[], key: 'files' | 'bytes'): number => of.reduce((n, r) => n + r[key], 0);
  const gone = removed.filter((r) => r.action === 'removed' || r.action === 'emptied');
  const written = sum(removed, 'files') - sum(gone, 'files');
  const parts = [`${sum(gone, 'files')} files removed`];
  if (written > 0) parts.push(`${written} written`);
  return [...parts, `${(sum(gone, 'bytes') / 1e6).toFixed(1)} MB`].join(', ');
}
