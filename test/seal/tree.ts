import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import type { Rootfs } from '../../src/core/rootfs.ts';
import { openRootfs } from '../../src/host/rootfs.ts';

/** Files by path: text, `-> target` for a link, `/` at the path's end for an empty folder. */
export type Tree = Readonly<Record<string, string>>;

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
});

/** An image's root in a temporary folder, removed after the test. */
export function imageOf(tree: Tree): Rootfs {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-seal-'));
  made.push(dir);
  for (const [path, content] of Object.entries(tree)) {
    const at = join(dir, path);
    mkdirSync(path.endsWith('/') ? at : dirname(at), { recursive: true });
    if (path.endsWith('/')) continue;
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), at);
    else {
      writeFileSync(at, content);
      chmodSync(at, 0o644);
    }
  }
  return openRootfs(dir);
}

/** Every path below the root but folders, with what it holds, in the form of a Tree. */
export function treeOf(root: Rootfs): Tree {
  const tree: Record<string, string> = {};
  for (const { path, stat } of root.walk('/')) {
    if (stat.isSymbolicLink()) tree[path] = `-> ${root.readLink(path)}`;
    else if (stat.isFile()) tree[path] = root.readText(path);
  }
  return tree;
}

/** A context that keeps the notes emitted. */
export function sealContext(notes: string[] = []): Context {
  return {
    signal: new AbortController().signal,
    emit: (event) => {
      if (event.type === 'step:log') notes.push(event.line);
    },
    step: 'seal',
  } as Context;
}
