import { IngotError } from '../../core/error.ts';
import { type Dependent, relations } from './dependencies.ts';
import type { ListedPath } from './unpack.ts';

const MERGED = /^\/(bin|sbin|lib|lib32|lib64|libx32)(?=\/)/;

/**
 * Files that two packages bring. The one that says `Replaces` has it, and the other loses it from its list, as
 * with dpkg. Answers the packages to unpack once more, so that their files lie on top, and the paths lost.
 */
export function fileConflicts(
  listed: ReadonlyMap<string, readonly ListedPath[]>,
  packages: readonly Dependent[],
): { winners: string[]; lost: Map<string, Set<string>> } {
  const control = new Map(packages.map((pkg) => [pkg.name, pkg.control]));
  const replaces = (a: string, b: string) =>
    relations(control.get(a)?.get('Replaces')).some(([name]) => name === b);
  const owner = new Map<string, { name: string; path: string }>();
  const winners = new Set<string>();
  const lost = new Map<string, Set<string>>();
  for (const [name, entries] of [...listed].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const { path, type } of entries) {
      if (type === 'd') continue;
      const key = path.replace(MERGED, '/usr/$1');
      const other = owner.get(key);
      if (other === undefined) {
        owner.set(key, { name, path });
        continue;
      }
      const [winner, loser] = replaces(name, other.name)
        ? [{ name, path }, other]
        : replaces(other.name, name)
          ? [other, { name, path }]
          : [undefined, undefined];
      if (!winner || !loser) {
        throw new IngotError(
          'apt/file-conflict',
          `packages ${other.name} and ${name} both bring ${path}, and neither replaces the other`,
          {
            hint: 'Leave one of the two packages out.',
          },
        );
      }
      owner.set(key, winner);
      winners.add(winner.name);
      lost.set(loser.name, (lost.get(loser.name) ?? new Set()).add(loser.path));
    }
  }
  return { winners: [...winners].sort(), lost };
}
