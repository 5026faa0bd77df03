import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { type Context, note } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { Removed } from '../core/plugin.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { nearest } from '../template/index.ts';
import { sealOperations } from './operations.ts';

export { sealOperations } from './operations.ts';

/** Changes with every operation's version, and with their number and order. */
export const SEAL_VERSION = sealOperations.reduce((sum, o, i) => sum + o.version * (i + 1), 0);

/** The `seal` block of an image file. */
export const sealSpec = bodySpec(
  {
    enabled: attr.bool('Whether the image is sealed at all.', { default: true }),
    skip: attr.strings('Operations to leave out.', { default: [] }),
  },
  {},
  (o): OptionProblem[] =>
    o.skip.flatMap((name, i) => {
      const names = sealOperations.map((operation) => operation.name);
      if (names.includes(name)) return [];
      const near = nearest(name, names);
      return [
        {
          path: ['skip', i],
          message: `there is no seal operation "${name}"; expected one of ${names.join(', ')}`,
          ...(near !== undefined && { hint: `Did you mean "${near}"?` }),
        },
      ];
    }),
);

export type SealOptions = OptionsOf<typeof sealSpec>;

export interface SealReport {
  readonly summary: string;
  readonly operations: readonly {
    readonly name: string;
    readonly skipped: boolean;
    readonly removed: readonly Removed[];
  }[];
}

/**
 * Removes identity and residue from an unbooted image, then proves it: every operation runs a second time and must
 * find nothing. Throws `seal/not-sealed` with the paths that came back.
 */
export async function sealImage(root: Rootfs, options: SealOptions, ctx: Context): Promise<SealReport> {
  const operations = [];
  for (const operation of sealOperations) {
    const skipped = !options.enabled || options.skip.includes(operation.name);
    const removed = skipped ? [] : ((await operation.offline?.(root, ctx)) ?? []);
    if (removed.length > 0) note(ctx, `${operation.name}: ${describe(removed)}`);
    operations.push({ name: operation.name, skipped, removed });
  }
  await prove(root, options, ctx);
  const all = operations.flatMap((o) => o.removed);
  return { summary: options.enabled ? describe(all) : 'switched off', operations };
}

async function prove(root: Rootfs, options: SealOptions, ctx: Context): Promise<void> {
  const left: string[] = [];
  for (const operation of sealOperations) {
    if (!options.enabled || options.skip.includes(operation.name)) continue;
    for (const { path } of (await operation.offline?.(root, ctx)) ?? [])
      left.push(`${operation.name}: ${path}`);
  }
  if (left.length === 0) return;
  throw new IngotError(
    'seal/not-sealed',
    `after sealing the image still holds ${left.length} things that should be gone`,
    {
      hint: 'This is a defect of a seal operation; please report the paths below.',
      output: left.slice(0, 20),
    },
  );
}

function describe(removed: readonly Removed[]): string {
  const gone = removed.filter((r) => r.action === 'removed');
  const files = gone.reduce((sum, r) => sum + r.files, 0);
  const bytes = removed.reduce((sum, r) => sum + r.bytes, 0);
  const changed = removed.length - gone.length;
  return `${files} files removed, ${changed} written anew, ${(bytes / 1e6).toFixed(1)} MB`;
}
