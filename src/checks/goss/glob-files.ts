import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Files that a path or pattern names, in the order of their names: `*`, `?` and `[…]` within a component (Go's
 * filepath.Glob). A path without these names itself, where it is there.
 */
export function globFiles(pattern: string): string[] {
  const parts = pattern.split('/');
  let found = [pattern.startsWith('/') ? '/' : ''];
  for (const part of parts.filter((p) => p !== '')) {
    const regexp = /[*?[\\]/.test(part) ? componentPattern(part) : undefined;
    found = found.flatMap((dir) =>
      regexp
        ? namesIn(dir)
            .filter((name) => regexp.test(name))
            .map((name) => join(dir, name))
        : [join(dir, part)],
    );
  }
  return found.filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
}

function namesIn(dir: string): string[] {
  const stat = statSync(dir === '' ? '.' : dir, { throwIfNoEntry: false });
  return stat?.isDirectory() ? readdirSync(dir === '' ? '.' : dir).sort() : [];
}

/** A pattern of one component. No part repeats a group, so matching takes no exponential time. A bad range matches nothing. */
export function componentPattern(part: string): RegExp {
  let source = '';
  for (let i = 0; i < part.length; i++) {
    const c = part[i] as string;
    const end = c === '[' ? part.indexOf(']', i + 2) : -1;
    if (c === '*') source += source.endsWith('[^/]*') ? '' : '[^/]*';
    else if (c === '?') source += '[^/]';
    else if (end !== -1) {
      const inner = part.slice(i + 1, end).replace(/[\\[]/g, '\\$&');
      source += `[${inner}]`;
      i = end;
    } else {
      const literal = c === '\\' ? (part[++i] ?? '\\') : c;
      source += literal.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    }
  }
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return /(?!)/;
  }
}
