import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, stop } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Host } from '../../src/core/host.ts';
import { createHost, mountChain, recover } from '../../src/host/index.ts';
import { isMounted } from '../../src/host/mount.ts';

let dir: string;
let leases: string;
let host: Host;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-mount-'));
  leases = join(dir, 'leases');
  host = createHost({ leaseDir: leases });
});
afterEach(() => rmSync(dir, { recursive: true }));

function folder(...path: string[]): string {
  const made = join(dir, ...path);
  mkdirSync(made, { recursive: true });
  return made;
}

function layers(count: number, long: string) {
  return Array.from({ length: count }, (_, i) => {
    const place = folder(long, `layer-${i}`, 'fs');
    writeFileSync(join(place, 'top'), String(i));
    writeFileSync(join(place, `only-${i}`), '');
    return { dir: join(place, '..') } as never;
  });
}

describe('overlays', () => {
  test.each([1, 2, 60, 200])('of %i layers with long and odd paths: the last is on top', async (count) => {
    const chain = layers(count, `${'long'.repeat(40)} with, a:comma`);
    await using view = await mountChain(host, chain, { parent: dir });
    expect(readFileSync(join(view.dir, 'top'), 'utf8')).toBe(String(count - 1));
    expect(readdirSync(view.dir)).toHaveLength(count + 1);
    expect(() => writeFileSync(join(view.dir, 'new'), '')).toThrow('EROFS');
  });

  test('what is written lands in the upper folder, whole, without marks of renames', async () => {
    const lower = folder('l/fs');
    mkdirSync(join(lower, 'old'));
    writeFileSync(join(lower, 'old/file'), 'content');
    await using view = await mountChain(host, [{ dir: folder('l') } as never], {
      parent: dir,
      writable: true,
    });
    await host.run('sh', ['-c', 'chmod 600 old/file; mv old new; rm -r new'], { cwd: view.dir });
    await host.run('sh', ['-c', 'mkdir kept; echo x > kept/y'], { cwd: view.dir });
    await view.unmount();
    expect(readdirSync(view.upper).sort()).toEqual(['kept', 'old']);
    expect(readFileSync(join(view.upper, 'kept/y'), 'utf8')).toBe('x\n');
  });

  test('a busy mount is detached, and said to be', async () => {
    const told: string[] = [];
    const loud = createHost({
      leaseDir: leases,
      emit: (e) => e.type === 'diagnostic' && told.push(e.diagnostic.code),
    });
    const mount = await loud.mountTmpfs(folder('m'), 1024 * 1024);
    await using _user = await loud.start('sleep', ['64'], { cwd: join(dir, 'm') });
    await mount[Symbol.asyncDispose]();
    expect(told).toEqual(['host/busy']);
    expect(isMounted(join(dir, 'm'))).toBe(false);
  });

  test('a mount that fails leaves no lease', async () => {
    await expect(
      host.mountOverlay({ lower: [join(dir, 'none')], target: folder('m') }),
    ).rejects.toMatchObject({ code: 'host/command-failed' });
    expect(readdirSync(leases)).toEqual([]);
    expect(readdirSync(dir).sort()).toEqual(['leases', 'm']);
  });
});

describe('after kill -9', () => {
  test('everything is given back, the living are left alone, and twice is as good as once', async () => {
    const program = join(dir, 'holder.mjs');
    const entry = join(import.meta.dirname, '../fixtures/host/holder.ts');
    await build({
      entryPoints: [entry],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
    });
    await stop();
    await using mine = await host.scratch(dir, 'mine-');
    const child = spawn(process.execPath, [program, leases, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
    const held = JSON.parse(
      await new Promise<string>((done, failed) => {
        child.stdout.once('data', (data: Buffer) => done(String(data)));
        child.once('exit', () => failed(new Error('the holder did not start')));
      }),
    ) as { pid: number; piped: number; mount: string; inner: string; scratch: string };
    expect(isMounted(held.mount) && isMounted(held.inner) && existsSync(held.scratch)).toBe(true);
    expect(await recover(leases)).toEqual([]);
    child.kill('SIGKILL');
    await new Promise((done) => child.once('exit', done));
    const found = await recover(leases);
    expect(found.map((r) => r.kind)).toContain('mount');
    expect(isMounted(held.mount) || isMounted(held.inner) || existsSync(held.scratch)).toBe(false);
    expect([held.pid, held.piped].filter(isRunning)).toEqual([]);
    expect(existsSync(mine.dir)).toBe(true);
    expect(readdirSync(leases)).toHaveLength(1);
    expect(await recover(leases)).toEqual([]);
  });

  test('a lease half written is dropped', async () => {
    mkdirSync(leases);
    writeFileSync(join(leases, 'x.json'), '{"id":"x","ki');
    expect(await recover(leases)).toEqual([]);
    expect(readdirSync(leases)).toEqual([]);
  });

  test('what cannot be given back keeps its lease and is told; the rest goes', async () => {
    const { owner } = JSON.parse(await leaseOf(dir)) as { owner: object };
    const dead = { ...owner, pid: process.pid, started: '1' };
    mkdirSync(leases, { recursive: true });
    const write = (name: string, target: string): void =>
      writeFileSync(
        join(leases, `${name}.json`),
        JSON.stringify({ id: name, kind: 'directory', target, owner: dead }),
      );
    write('good', folder('good'));
    write('bad', '/proc/self');
    await expect(recover(leases)).rejects.toMatchObject({ code: 'host/not-recovered' });
    expect(existsSync(join(dir, 'good'))).toBe(false);
    expect(readdirSync(leases)).toEqual(['bad.json']);
  });
});

/** The text of a lease as the host writes it. */
async function leaseOf(parent: string): Promise<string> {
  const other = join(parent, 'sample');
  await using _scratch = await createHost({ leaseDir: other }).scratch(parent, 's-');
  const [name] = readdirSync(other) as [string];
  return readFileSync(join(other, name), 'utf8');
}

/** Whether a process is there, and no zombie that init has not collected yet. */
function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
