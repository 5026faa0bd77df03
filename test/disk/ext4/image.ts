import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { hostPath, type Tree, type TreeFile } from '../../../src/disk/ext4/tree.ts';
import { type Ext4Options, writeExt4 } from '../../../src/disk/ext4/write.ts';

export const MIB = 2 ** 20;
export const EPOCH = 1_700_000_000;

/** Writes a tree into a new image file. */
export async function makeImage(path: string, tree: Tree, change: Partial<Ext4Options> = {}): Promise<void> {
  const size = change.size ?? 64 * MIB;
  const file = openSync(path, 'w+');
  try {
    ftruncateSync(file, (change.offset ?? 0) + size);
    await writeExt4(tree, {
      file,
      offset: 0,
      size,
      uuid: '6b29fc40-ca47-4067-b31d-00dd010662da',
      hashSeed: '0f8fad5b-d9cb-469f-a165-70867728950e',
      label: 'root',
      epoch: EPOCH,
      ...change,
    });
  } finally {
    closeSync(file);
  }
}

/** What e2fsck has to say beside its headings; it answers with exit code 0 when nothing is wrong. */
export function remarks(path: string): string[] {
  const said = execFileSync('/sbin/e2fsck', ['-f', '-n', path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return said.split('\n').filter((line) => line !== '' && !/^Pass \d|^\w+: \d+\/\d+ files/.test(line));
}

export function debugfs(path: string, request: string): string {
  return execFileSync('/sbin/debugfs', ['-R', request, path], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export function sha256Of(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Everything about a tree by path, contents included; ext4's own folder is left out. */
export function describeTree(tree: Tree, fields: readonly (keyof TreeFile)[]): Record<string, unknown> {
  const found: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const visit = (path: string, file: TreeFile): void => {
    if (path === '/lost+found') return;
    found[path] = {
      ...Object.fromEntries(fields.map((field) => [field, file[field]])),
      target: file.target?.toString('latin1'),
      xattrs: tree.xattrs?.get(file.path),
      // Which of a file's names comes first says which names are one file.
      path: file.path,
      ...(file.kind === 'file' && {
        content: createHash('sha256')
          .update(readFileSync(hostPath(file)))
          .digest('hex'),
      }),
    };
    for (const { name, file: below } of file.entries ?? []) visit(`${path}/${name}`, below);
  };
  visit('', tree.top);
  return found;
}
