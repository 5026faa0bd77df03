import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootForCommand, type ReachableCopy, runAgainst } from '../../src/app/exec-test.ts';
import { contextOf } from '../../src/app/goss.ts';
import { openDiskImage, type OpenedImage } from '../../src/app/goss-image.ts';
import { openSession } from '../../src/app/session.ts';
import { hardeningFile } from '../../src/app/policy-files.ts';
import { checkGoss, loadGossFile, type TestResult } from '../../src/checks/goss.ts';
import { checkHardening, hardeningId } from '../../src/checks/hardening.ts';
import { HARDENING_SETS } from '../../src/policy/spec.ts';
import { sha256 } from '../../src/core/digest.ts';
import { vmBase } from '../machines/vm-base.ts';
import { shareWhatRuns } from '../setup/no-leaks.ts';

const GOSS = `
service: {ssh: {running: true, enabled: true}, none: {running: false}}
port: {tcp:22: {listening: true}, tcp:81: {listening: false}}
process: {sshd: {running: true}, none: {running: false}}
command: {"echo out; echo err >&2; exit 3": {exit-status: 3, stdout: [out], stderr: [err]}}
kernel-param: {kernel.ostype: {value: Linux}}
mount: {/proc: {exists: true, filesystem: proc}}
`;

let dir: string;
let image: string;
let before: string;
let ctx: ReturnType<typeof contextOf>;
let copy: ReachableCopy;
let opened: OpenedImage;
let container: Awaited<ReturnType<OpenedImage['boot']>>;

/** One boot for all tests: emulated, it takes a minute. */
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-copy-'));
  image = vmBase(dir);
  before = sha256(readFileSync(image));
  const deps = { emit: () => {}, signal: new AbortController().signal };
  ctx = contextOf(openSession(deps, { INGOT_CACHE_DIR: join(dir, 'cache') }));
  copy = await bootForCommand(image, [22], dir, ctx);
  opened = await openDiskImage(image, ctx);
  container = await opened.boot('container');
  shareWhatRuns();
}, 600_000);

afterAll(async () => {
  await copy?.vm[Symbol.asyncDispose]();
  await opened?.[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
}, 60_000);

async function goss(bootedAs: 'container' | 'vm') {
  const path = join(dir, 'goss.yaml');
  writeFileSync(path, GOSS);
  const file = loadGossFile(path, { vars: {}, env: {} });
  const boot = () => Promise.resolve(bootedAs === 'vm' ? copy.vm.communicator : container);
  const options = { strict: false, retryTimeout: 0, sleep: 0 };
  const { groups, sorted } = await checkGoss(file, { root: opened.root, boot, bootedAs }, options, ctx);
  const outcomes = groups
    .flat()
    .map((r) => [`${r.resourceType}: ${r.resourceId}: ${r.property}`, r.outcome] as const);
  return { outcomes: new Map(outcomes), sorted };
}

test("a container and a virtual machine agree; the kernel and its mounts are the machine's alone", async () => {
  const vm = await goss('vm');
  expect([...vm.outcomes].filter(([, outcome]) => outcome !== 'pass')).toEqual([]);
  const container = await goss('container');
  expect(container.sorted.fleet).toEqual(
    expect.arrayContaining(['KernelParam: kernel.ostype: value', 'Mount: /proc: exists']) as string[],
  );
  for (const [check, outcome] of container.outcomes)
    expect([check, container.sorted.fleet.includes(check) ? 'skip' : 'pass']).toEqual([check, outcome]);
}, 180_000);

test.each(HARDENING_SETS)(
  '%s says the same of the disk and of the running machine',
  async (set) => {
    const file = hardeningFile(set, '/');
    const onDisk = new Map((await checkHardening(file, opened.root, ctx)).map((r) => [r.id, r]));
    const boot = () => Promise.resolve(container);
    const options = { strict: false, retryTimeout: 0, sleep: 0 };
    const { groups } = await checkGoss(
      file,
      { root: opened.root, boot, bootedAs: 'container' },
      options,
      ctx,
    );
    let compared = 0;
    for (const group of groups) {
      const id = hardeningId((group[0] as TestResult).resource);
      const disk = onDisk.get(id);
      // Where only the disk decides, or the package is not there, there is nothing to compare.
      if (disk?.status === 'n/a' || group.some((r) => r.elsewhere !== undefined)) continue;
      const running = group.every((r) => r.outcome === 'pass') ? 'passed' : 'failed';
      expect([id, running, ...group.map((r) => r.error)], disk?.message).toEqual([
        id,
        disk?.status,
        ...group.map(() => undefined),
      ]);
      compared++;
    }
    expect(compared).toBeGreaterThan(20);
  },
  120_000,
);

describe('a command of the user', () => {
  const run = (command: string, timeout = 60_000) =>
    runAgainst(copy, { command, ports: [22], env: { OWN: 'yes' }, timeout }, ctx);

  test('logs in by the key, reaches the ports, and its exit code decides', async () => {
    const { exitCode, output } = await run(
      `$INGOT_TEST_SSH 'echo "in as $(id -un) on $(hostname)"' && exec bash -c '
        exec 3<>/dev/tcp/$INGOT_TEST_HOST/$INGOT_TEST_PORT_22 && head -c 4 <&3; echo; echo $OWN; exit 7'`,
    );
    expect(output).toEqual(['in as root on ingot-test', 'SSH-', 'yes']);
    expect(exitCode).toBe(7);
  });

  test('ends with its time', async () => {
    await expect(run('echo waiting; sleep 600', 10_000)).rejects.toMatchObject({
      code: 'exec/timeout',
      output: ['waiting'],
    });
  });
});

test('the image is as before', () => {
  expect(sha256(readFileSync(image))).toBe(before);
});
