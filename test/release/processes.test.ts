import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build, stop } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/core/digest.ts';
import { channelHistory } from '../../src/release/channel.ts';
import { listReleases, lookupRelease } from '../../src/release/lookup.ts';
import { openStore } from '../../src/release/release-store.ts';
import { type Desk, openDesk } from './helpers.ts';

let desk: Desk;
let program: string;
const disk = { path: '', digest: '', size: 48 * 1024 * 1024 };

beforeAll(async () => {
  desk = await openDesk();
  program = join(desk.dir, 'publisher.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../fixtures/release/publisher.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  // Its service would outlive the build.
  await stop();
  const content = Buffer.alloc(disk.size, 'no hole ');
  disk.path = join(desk.dir, 'disk.raw');
  disk.digest = sha256(content);
  await writeFile(disk.path, content);
});
afterAll(() => desk[Symbol.asyncDispose]());

/** Starts a publisher; `opened` resolves when it is about to publish. */
function publisher(
  location: string,
  version: string,
): {
  opened: Promise<void>;
  ended: Promise<number | null>;
  kill: () => void;
} {
  const args = [program, location, 'web', version, disk.path, disk.digest, String(disk.size)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const opened = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { opened, ended, kill: () => child.kill('SIGKILL') };
}

describe('several processes', () => {
  it('publish at once, and all releases and channel moves are there', async () => {
    const location = `oci-layout:${desk.dir}/many`;
    const versions = ['1.0.0', '1.1.0', '1.2.0', '1.3.0'];
    const codes = await Promise.all(versions.map((v) => publisher(location, v).ended));
    expect(codes).toEqual([0, 0, 0, 0]);
    const store = await openStore(location, '/');
    expect((await listReleases(store)).map((r) => r.version)).toEqual(versions.toReversed());
    expect(await channelHistory(store, 'web', 'dev')).toHaveLength(4);
  });

  it.each([0, 5, 15, 30, 60, 90, 120])('killed after %i ms, leave no tag or a whole release', async (ms) => {
    const location = `oci-layout:${desk.dir}/killed-${ms}`;
    const child = publisher(location, '1.0.0');
    await child.opened;
    await delay(ms);
    child.kill();
    await child.ended;
    const store = await openStore(location, '/');
    for (const release of await listReleases(store)) {
      const [output] = release.outputs;
      const bytes = await new Response(await store.repository('web').fetch(output!)).arrayBuffer();
      expect(bytes.byteLength).toBe(disk.size);
    }
    // And the next one succeeds.
    expect(await publisher(location, '1.0.0').ended).toBe(0);
    expect((await lookupRelease(store, 'web@dev')).version).toBe('1.0.0');
  });
});
