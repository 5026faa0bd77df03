import type { Rootfs } from '../../../core/rootfs.ts';
import { FactError } from '../system.ts';
import { followLinks } from '../systems/follow-links.ts';
import { type DiskMutation, type Origin, spread } from './mutation.ts';

/** Larger files are no settings. */
const MAX_TEXT = 1024 * 1024;
const NOBODY = 65_534;
/** How many lines of a file are taken out, each in a mutation of its own. */
const LINES: Readonly<Record<Origin, number>> = { named: 3, own: 1 };
const SHOWN = 50;

/** What can be flipped of a file: that it is there, its mode, its owner, where it leads, and lines of a text. */
export function fileMutations(root: Rootfs, path: string, origin: Origin): DiskMutation[] {
  const of = (change: string, attribute: string, apply: DiskMutation['apply']): DiskMutation => ({
    type: 'file',
    subject: path,
    change,
    attribute,
    origin,
    apply,
  });
  const stat = root.lstat(path);
  if (!stat) return [of('made', 'exists', (changes) => changes.add(path, ''))];
  const found = [of('removed', 'exists', (changes) => changes.remove(path))];
  if (stat.isSymbolicLink()) {
    found.push(of('leads elsewhere', 'linked-to', (changes) => changes.link(path, '/nowhere')));
  } else {
    const before = stat.mode & 0o7777;
    const after = before ^ 0o002;
    found.push(
      of(`mode ${octal(before)} to ${octal(after)}`, 'mode', (changes) => changes.chmod(path, after)),
    );
  }
  const uid = stat.uid === 0 ? NOBODY : 0;
  found.push(of(`owner ${stat.uid} to ${uid}`, 'owner', (changes) => changes.chown(path, uid, stat.gid)));
  return [...found, ...lineMutations(root, path, origin, of)];
}

function lineMutations(
  root: Rootfs,
  path: string,
  origin: Origin,
  of: (change: string, attribute: string, apply: DiskMutation['apply']) => DiskMutation,
): DiskMutation[] {
  const at = targetOf(root, path);
  const stat = at === undefined ? undefined : root.lstat(at);
  if (at === undefined || !stat?.isFile() || stat.size === 0 || stat.size > MAX_TEXT) return [];
  const text = root.readText(at);
  if (text.includes('\0') || text.includes('\ufffd')) return [];
  const lines = text.split('\n');
  // What not everybody may read is not shown to everybody.
  const isShown = (stat.mode & 0o004) !== 0;
  return spread(settings(lines), LINES[origin]).map((index) => {
    const shown = isShown ? `: ${JSON.stringify((lines[index] as string).trim().slice(0, SHOWN))}` : '';
    return of(`line ${index + 1} taken out${shown}`, 'contents', (changes) =>
      changes.rewrite(at, lines.toSpliced(index, 1).join('\n')),
    );
  });
}

/** What a path leads to; undefined where that is nothing, or a loop. */
function targetOf(root: Rootfs, path: string): string | undefined {
  try {
    return followLinks(root, path);
  } catch (error) {
    if (error instanceof FactError) return undefined;
    throw error;
  }
}

/** Numbers of lines that say something: no blank ones, no comments, no lone brackets. */
function settings(lines: readonly string[]): number[] {
  return lines.flatMap((line, i) =>
    /^\s*(?![#;]|\/\/)\S/.test(line) && /[A-Za-z0-9]/.test(line) ? [i] : [],
  );
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
