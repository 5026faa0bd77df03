import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/core/digest.ts';
import { partitionTable } from '../../src/disk/gpt.ts';
import { derivedUuid, identities, MIB, planLayout } from '../../src/disk/layout.ts';
import type { DiskOptions } from '../../src/disk/spec.ts';

const SEED = sha256('seed');
const options = (change: Partial<DiskOptions> = {}): DiskOptions => ({
  size: undefined,
  firmware: ['bios', 'uefi'],
  label: 'root',
  kernel_options: [],
  timeout: 0,
  partition: [],
  ...change,
});

describe('planLayout', () => {
  test('root is last, everything is aligned, nothing overlaps', () => {
    const partition = [{ name: 'data', size: 10 * MIB + 5, type: 'linux' }];
    const { size, partitions } = planLayout(options({ partition }), 500 * MIB, SEED);
    expect(partitions.map((p) => p.name)).toEqual(['bios', 'esp', 'data', 'root']);
    let end = 0;
    for (const p of partitions) {
      expect(p.offset % MIB).toBe(0);
      expect(p.offset).toBeGreaterThanOrEqual(end);
      end = p.offset + p.size;
    }
    expect(end + MIB).toBe(size);
  });

  test('a size that is too small is refused with the size that is needed', () => {
    expect(() => planLayout(options({ size: 300 * MIB }), 500 * MIB, SEED)).toThrow(/needs about \d+ MiB/);
  });

  test('ids follow from the seed, and from nothing else', () => {
    expect(identities(SEED)).toEqual(identities(SEED));
    expect(identities(sha256('other')).rootUuid).not.toBe(identities(SEED).rootUuid);
    expect(derivedUuid(SEED, 'x')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});

describe('partitionTable', () => {
  test.skipIf(!existsSync('/usr/sbin/sfdisk'))('sfdisk reads it back and finds nothing wrong', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ingot-gpt-'));
    try {
      const layout = planLayout(options({ firmware: ['bios', 'uefi'] }), 100 * MIB, SEED);
      const disk = join(dir, 'disk');
      const file = openSync(disk, 'w');
      ftruncateSync(file, layout.size);
      for (const { offset, data } of partitionTable(layout, new Uint8Array(440)))
        writeSync(file, data, 0, data.length, offset);
      closeSync(file);
      const table = JSON.parse(execFileSync('/usr/sbin/sfdisk', ['--json', disk], { encoding: 'utf8' }));
      expect(table.partitiontable).toMatchObject({ label: 'gpt', id: layout.diskGuid.toUpperCase() });
      for (const [i, p] of layout.partitions.entries()) {
        expect(table.partitiontable.partitions[i]).toMatchObject({
          name: p.name,
          start: p.offset / 512,
          size: p.size / 512,
          uuid: p.guid.toUpperCase(),
        });
      }
      expect(execFileSync('/usr/sbin/sfdisk', ['--verify', disk], { encoding: 'utf8' })).toMatch(
        /No errors detected/,
      );
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
