import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contextOf, testGoss, testImage } from '../../src/app/goss.ts';
import { addFromImage } from '../../src/app/goss-add.ts';
import { openSession } from '../../src/app/session.ts';
import { sha256 } from '../../src/core/digest.ts';
import type { BuildEvent } from '../../src/core/event.ts';

let dir: string;
let disk: string;
const events: BuildEvent[] = [];
const deps = { emit: (e: BuildEvent) => events.push(e), signal: new AbortController().signal };

/** A disk that nobody but mke2fs made: ext4 without a partition table. */
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-goss-'));
  process.env['INGOT_CACHE_DIR'] = join(dir, 'cache');
  const root = join(dir, 'root');
  mkdirSync(join(root, 'etc'), { recursive: true });
  mkdirSync(join(root, 'var/lib/dpkg'), { recursive: true });
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
  writeFileSync(join(root, 'etc/app.conf'), 'port = 8080\n', { mode: 0o640 });
  writeFileSync(
    join(root, 'var/lib/dpkg/status'),
    'Package: app\nStatus: install ok installed\nVersion: 2.1\nArchitecture: all\n',
  );
  const raw = join(dir, 'disk.raw');
  writeFileSync(raw, '');
  truncateSync(raw, 2 * 1024 ** 3);
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, raw]);
  disk = join(dir, 'disk.qcow2');
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, disk]);
}, 60_000);

afterAll(() => {
  delete process.env['INGOT_CACHE_DIR'];
  rmSync(dir, { recursive: true, force: true });
});

const run = (yaml: string, more = {}) => {
  const file = join(dir, 'goss.yaml');
  writeFileSync(file, yaml);
  return testImage(
    {
      image: disk,
      file,
      format: 'tap',
      formatOptions: [],
      color: false,
      strict: false,
      boot: false,
      machine: 'container',
      retryTimeout: 0,
      sleep: 0,
      ...more,
    },
    deps,
  );
};

test('a disk made elsewhere: what holds passes, what does not fails for its reason', async () => {
  const good = 'file: {/etc/app.conf: {exists: true, mode: "0640", contents: ["/port = \\\\d+/"]}}';
  expect(await run(good.replace('"/port = \\\\d+/"', "'/port = \\d+/'"))).toMatchObject({ exitCode: 0 });
  const weak = await run('file: {/etc/app.conf: {exists: true, mode: "0600"}}');
  expect(weak.exitCode).toBe(1);
  expect(weak.text).toContain('not ok 2 - File: /etc/app.conf: mode: Expected "0640" to equal "0600"');
});

test('what only a booted machine tells is no pass under strict', async () => {
  const yaml = 'user: {root: {exists: true}}\nport: {tcp:80: {listening: true}}';
  expect((await run(yaml)).exitCode).toBe(0);
  expect((await run(yaml, { strict: true })).exitCode).toBe(1);
  expect(events.some((e) => e.type === 'diagnostic' && e.diagnostic.code === 'goss/not-decided')).toBe(true);
});

test('a file of which nothing can be decided here passes nowhere', async () => {
  events.length = 0;
  expect((await run('port: {tcp:80: {listening: true}}')).exitCode).toBe(1);
  expect(events).toContainEqual(
    expect.objectContaining({ diagnostic: expect.objectContaining({ code: 'goss/nothing-decided' }) }),
  );
  // What the file itself leaves out is its author's word, as in goss.
  expect((await run('port: {tcp:80: {listening: true, skip: true}}')).exitCode).toBe(0);
});

test('a test of an image file is evidence, and fails the release', async () => {
  writeFileSync(join(dir, 'image.yaml'), 'user: {root: {exists: true, uid: 1}}\n');
  const ctx = { ...contextOf(openSession(deps)), templateDir: dir };
  const options = { file: 'image.yaml', vars: undefined, vars_inline: undefined, strict: true };
  const outcome = await testGoss(
    disk,
    { ...options, boot: false, machine: 'container', retry_timeout: 0, sleep: 0 },
    ctx,
  );
  expect(outcome.passed).toBe(false);
  expect(outcome.checks).toMatchObject([
    { name: 'User: root: exists', passed: true },
    {
      name: 'User: root: uid',
      passed: false,
      message: expect.stringContaining('Expected 0 to be numerically eq 1'),
    },
  ]);
});

test('retries end with 3', async () => {
  const failing = await run('user: {none: {exists: true}}', { retryTimeout: 50, sleep: 20 });
  expect(failing.exitCode).toBe(3);
});

test('100 checks of a 2 GiB disk are one run', async () => {
  const checks = Array.from(
    { length: 50 },
    (_, i) => `  f${i}: {path: /etc/app.conf, exists: true, mode: "0640"}`,
  );
  const { text, exitCode } = await run(`file:\n${checks.join('\n')}`);
  expect(exitCode).toBe(0);
  expect(text).toContain('1..100');
});

test('mutations leave the disk as it is, and too few that are noticed end with 1', () => {
  const before = sha256(readFileSync(disk));
  const file = join(dir, 'mutated.yaml');
  writeFileSync(file, 'file: {/etc/app.conf: {exists: true, mode: "0640"}}\n');
  const ingot = fileURLToPath(new URL('../../bin/ingot', import.meta.url));
  const args = ['test', disk, '--goss', file, '--mutate', '--no-boot', '--json'];
  const run = (...more: string[]) => spawnSync(ingot, [...args, ...more], { encoding: 'utf8' });
  const enough = run('--min-score', '20');
  expect(enough.stderr).toBe('');
  expect(enough.status).toBe(0);
  const report = JSON.parse(enough.stdout) as { mutations: { change: string; noticed: boolean }[] };
  expect(report.mutations.filter((m) => m.noticed).map((m) => m.change)).toEqual([
    'removed',
    'mode 0640 to 0642',
  ]);
  expect(run('--min-score', '90').status).toBe(1);
  expect(sha256(readFileSync(disk))).toBe(before);
});

test('writes a goss file that then passes', async () => {
  const file = join(dir, 'added.yaml');
  writeFileSync(file, '# ours\nuser:\n  root: {exists: true}\n');
  const add = (type: string, ...names: string[]) =>
    addFromImage({ image: disk, file, type, names, boot: false, machine: 'container' }, deps);
  await add('file', '/etc/app.conf');
  await add('auto', 'app');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('# ours');
  expect(text).toContain('mode: "0640"');
  expect(text).toMatch(/app:\n {4}installed: true\n {4}versions:\n {6}- "?2\.1"?/);
  expect((await run(text, { strict: true })).exitCode).toBe(0);
  await expect(add('auto', 'nothing-of-this-name')).rejects.toMatchObject({ code: 'goss/nothing-found' });
});
