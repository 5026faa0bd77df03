import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostPath, type Tree, type TreeFile } from '../../../src/disk/ext4/tree.ts';
import { readRoot } from '../../../src/disk/root-filesystem.ts';
import { createHost, mountChain } from '../../../src/host/index.ts';

const FIELDS = ['kind', 'mode', 'uid', 'gid', 'size', 'links', 'major', 'minor', 'path'] as const;

/** What a tree holds, name by name. */
function facts(tree: Tree): unknown[] {
  const seen: unknown[] = [];
  const visit = (path: string, file: TreeFile): void => {
    seen.push({
      name: path,
      ...Object.fromEntries(FIELDS.map((field) => [field, file[field]])),
      target: file.target?.toString('latin1'),
      content: file.kind === 'file' ? readFileSync(hostPath(file), 'utf8') : undefined,
      xattrs: tree.xattrs?.get(file.path)?.map(({ name, value }) => `${name}=${value.toString('hex')}`),
    });
    for (const entry of file.entries ?? []) visit(`${path}/${entry.name}`, entry.file);
  };
  visit('', tree.top);
  return seen;
}

/** setfattr(1) with the tools that are there. */
const NOTE = `note() { perl -e 'require "syscall.ph"; syscall(&SYS_setxattr, my $p = shift, "user.note", "x", 1, 0)' "$1"; }`;

const place = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((p) => p.join('/'));
/** Shell commands on one layer; those that make no sense there fail and change nothing. */
const command = fc.oneof(
  place.map((p) => `mkdir -p ${p}`),
  fc.tuple(place, fc.nat(9)).map(([p, n]) => `echo ${n} > ${p}`),
  place.map((p) => `rm -rf ${p}`),
  // Removed and made again: an opaque folder, or a file in a folder's place.
  place.map((p) => `rm -rf ${p} && mkdir ${p}`),
  place.map((p) => `rm -rf ${p} && echo new > ${p}`),
  fc.tuple(place, place).map(([from, to]) => `mv ${from} ${to}`),
  fc.tuple(place, place).map(([from, to]) => `ln ${from} ${to}`),
  fc.tuple(place, place).map(([from, to]) => `ln -sfn ${from} ${to}`),
  fc.tuple(place, fc.constantFrom('700', '4755', '1777')).map(([p, mode]) => `chmod ${mode} ${p}`),
  place.map((p) => `mknod ${p} c 1 3`),
  place.map((p) => `note ${p}`),
);

test('layers read one by one are what overlayfs shows of them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(command, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 }),
      async (scripts) => {
        const dir = mkdtempSync(join(tmpdir(), 'ingot-layers-'));
        try {
          const host = createHost({ leaseDir: join(dir, 'leases') });
          const ctx = { host, signal: new AbortController().signal };
          const chain: { dir: string }[] = [];
          for (const [i, script] of scripts.entries()) {
            const layer = join(dir, String(i));
            mkdirSync(layer);
            await using view = await mountChain(host, chain as never, { parent: dir, writable: true });
            await host.run(
              'sh',
              ['-c', [NOTE, ...script].map((line) => `{ ${line}; } 2>/dev/null`).join('\n')],
              {
                cwd: view.dir,
                okCodes: 'any',
              },
            );
            await view.unmount();
            await host.run('mv', [view.upper, join(layer, 'fs')]);
            chain.push({ dir: layer });
          }
          await using view = await mountChain(host, chain as never, { parent: dir });
          const layers = chain.map((layer) => join(layer.dir, 'fs'));
          expect(facts(await readRoot(layers, ctx))).toEqual(facts(await readRoot([view.dir], ctx)));
        } finally {
          rmSync(dir, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 40 },
  );
});
