import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyImage, isImageCopy } from '../../../src/disk/formats/image-copy.ts';
import { createHost } from '../../../src/host/index.ts';
import type { QemuDisk } from '../../../src/host/qemu-command.ts';
import { createOverlay, toQcow2 } from '../../../src/host/qemu-image.ts';

const MIB = 1024 * 1024;
let dir: string;
let disk: QemuDisk;
let content: Buffer;
const host = () => createHost({ leaseDir: join(dir, 'leases') });
const { signal } = new AbortController();

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-copy-'));
  content = Buffer.concat([randomBytes(MIB), Buffer.alloc(2 * MIB), randomBytes(MIB)]);
  writeFileSync(join(dir, 'base.raw'), content);
  const base = join(dir, 'base.qcow2');
  await toQcow2(
    { host: host(), signal: new AbortController().signal },
    { path: join(dir, 'base.raw'), format: 'raw' },
    base,
  );
  // The layer above makes the disk larger, and names nothing below itself.
  disk = await createOverlay(host(), join(dir, 'top.qcow2'), { path: base, format: 'qcow2' }, 8 * MIB);
});
afterAll(() => rmSync(dir, { recursive: true }));

test.each(['raw', 'qcow2'] as const)(
  '%s of layers is the disk, in the same bytes each time',
  async (format) => {
    const ctx = { host: host(), signal };
    const [one, two] = [join(dir, `1.${format}`), join(dir, `2.${format}`)];
    const copied = await copyImage(disk, format, one, ctx);
    const digest = createHash('sha256').update(readFileSync(one)).digest('hex');
    expect(copied).toEqual({ digest: `sha256:${digest}`, size: statSync(one).size, virtualSize: 8 * MIB });
    expect((await copyImage(disk, format, two, ctx)).digest).toBe(copied.digest);
    const flat = join(dir, `${format}.flat`);
    execFileSync('qemu-img', ['convert', '-f', format, '-O', 'raw', one, flat]);
    expect(readFileSync(flat).equals(Buffer.concat([content, Buffer.alloc(4 * MIB)]))).toBe(true);
  },
);

test.each([
  ['raw', {}, true],
  ['qcow2', { compression: 'none' }, true],
  ['qcow2', { compression: 'zlib' }, false],
  ['vmdk', {}, false],
])('%s %j is a copy: %s', (format, options, isCopy) => expect(isImageCopy({ format, options })).toBe(isCopy));
