import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StagedLayer } from '../../../src/core/layer.ts';
import { createHost, openRootfs } from '../../../src/host/index.ts';
import { LentFile } from '../../../src/machines/container/lent-file.ts';
import { OverlayRoot } from '../../../src/machines/container/overlay-root.ts';

/** What is lent belongs to root, as only root can make it. */
const isRoot = process.getuid?.() === 0;
const WITHOUT_ROOT = isRoot ? '' : " (skipped: files are lent as root's)";
const CONTENT = 'nameserver 192.0.2.1\n';
let dir: string;
/** A folder of the builder's own. */
let outside: string;
let root: OverlayRoot;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-overlay-'));
  outside = join(dir, 'outside');
  for (const name of ['outside', 'work', 'layer', 'layer/fs']) mkdirSync(join(dir, name));
  root = new OverlayRoot(createHost({ leaseDir: join(dir, 'leases') }), join(dir, 'work'), [], undefined);
});
afterEach(() => rmSync(dir, { recursive: true }));

const layer = (): StagedLayer =>
  ({ dir: join(dir, 'layer'), committedDir: join(dir, 'layer') }) as unknown as StagedLayer;

test('what bind mounts left is not looked for behind a link of the image', async () => {
  writeFileSync(join(outside, 'empty'), '');
  symlinkSync(outside, join(root.upper, 'srv'));
  await root.moveInto(layer(), { lent: [], residue: ['/srv/empty'] }, 1);
  expect(existsSync(join(outside, 'empty'))).toBe(true);
});

test.skipIf(!isRoot)(
  `a lent file is not taken back from behind a link of the image${WITHOUT_ROOT}`,
  async () => {
    const { upper } = root;
    mkdirSync(join(upper, 'etc'));
    const lent = new LentFile('/etc/resolv.conf', CONTENT);
    lent.lend(openRootfs(upper), upper);
    // What a script of the image does while it has it.
    renameSync(join(upper, 'etc'), join(upper, 'away'));
    symlinkSync(outside, join(upper, 'etc'));
    mkdirSync(join(upper, outside), { recursive: true });
    writeFileSync(join(upper, outside, 'resolv.conf'), CONTENT);
    writeFileSync(join(outside, 'resolv.conf'), 'of the builder');
    lent.takeBackMounted(openRootfs(upper));
    await root.moveInto(layer(), { lent: [lent], residue: [] }, 1);
    expect(existsSync(join(outside, 'resolv.conf'))).toBe(true);
    expect(existsSync(join(dir, 'layer/fs', outside, 'resolv.conf'))).toBe(false);
  },
);

test.skipIf(!isRoot)(
  `a lent file that nobody touched is gone, and the folder that came with it${WITHOUT_ROOT}`,
  async () => {
    const { upper } = root;
    const view = mkdtempSync(join(dir, 'view-'));
    mkdirSync(join(view, 'etc'));
    const lent = new LentFile('/etc/resolv.conf', CONTENT);
    lent.lend(openRootfs(view), upper);
    // As the kernel would have it: what is written in the view is in the upper folder.
    renameSync(join(view, 'etc'), join(upper, 'etc'));
    await root.moveInto(layer(), { lent: [lent], residue: [] }, 1);
    expect(existsSync(join(dir, 'layer/fs/etc'))).toBe(false);
  },
);
