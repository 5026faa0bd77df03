import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../project/source-files.ts';
import { openBao } from '../secrets/real-tools.ts';
import { finished } from './ingot.ts';

const bao = openBao();
const OUTPUT = join(root, 'examples/postgres/output-postgres');

// In `npm run test:faults` alone: an image from nothing, and two machines.
describe.runIf(process.env.INGOT_FAULTS === 'long')('npm run demo:postgres', () => {
  let folder: string;
  let demo: ChildProcess | undefined;
  const hadOutput = existsSync(OUTPUT);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ingot-demo-'));
  });
  afterAll(() => {
    demo?.kill();
    rmSync(folder, { recursive: true });
    if (!hadOutput) rmSync(OUTPUT, { recursive: true, force: true });
  });

  test.skipIf(bao.missing)(
    `ends well, with empty caches${bao.missing ? ` (skipped: ${bao.missing})` : ''}`,
    async () => {
      demo = spawn(process.execPath, [join(root, 'scripts/demo-postgres.mjs')], {
        env: { ...process.env, INGOT_CACHE_DIR: join(folder, 'cache'), INGOT_DATA_DIR: join(folder, 'data') },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const { exitCode, stdout, stderr } = await finished(demo);
      expect(exitCode, stdout + stderr).toBe(0);
      for (const told of [
        /OpenBao \d[\d.]+ answers/,
        /db1, from power-on: firmware [\d.]+ s, kernel .*command cluster .*readiness/,
        /read on db2: written on the primary/,
        /db1 streams to: db2, streaming, TLSv1\.3/,
        /db2 takes no writes: ERROR: +cannot execute INSERT/,
        /a restart renewed the certificate/,
        /db1 has the replication password neither in its journal/,
        /db2 has the replication password neither in its journal/,
        /done; nobody logged in/,
      ])
        expect(stdout).toMatch(told);
      expect(existsSync(join(OUTPUT, 'boot.html'))).toBe(true);
    },
  );
});
