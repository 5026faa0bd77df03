import { type ChildProcess, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goTool } from '../secrets/real-tools.ts';
import { filesOf } from './disk-files.ts';
import { type Finished, finished, Workspace } from './ingot.ts';
import { motoTool, OPENBAO, type SecretServer, startAws, startOpenBao, TOKEN_FILE } from './secret-server.ts';

// An image with a first_boot block, built by us and booted in QEMU, with its secrets on this host.

/** In `npm run test:faults` alone: each is two boots. INGOT_FAULT_CUTS and INGOT_FAULT_SEED run it in pieces. */
const CUTS = Number(process.env.INGOT_FAULT_CUTS ?? 10);
const isLong = process.env.INGOT_FAULTS === 'long';
/** A reboot takes as long as a boot. */
const REBOOTS = isLong ? 5 : 1;
const FIXTURE = join(import.meta.dirname, '../fixtures/first-boot');
const WAIT = ['--wait-ready', '--timeout', '15m', '--firmware', 'bios'];
const FIRST = { password: 'hunter2-first', key: 'k3y-0' };

let ws: Workspace;
let image: string;
let bao: SecretServer;

beforeAll(async () => {
  bao = await startOpenBao();
  ws = Workspace.withDownloads();
  rmSync(ws.project, { recursive: true });
  cpSync(FIXTURE, ws.project, { recursive: true });
  await launchData('bao', bao);
  const built = await ws.build();
  image = built.images[0]?.outputs[0]?.path as string;
});
afterAll(async () => {
  ws.remove();
  await bao[Symbol.asyncDispose]();
});

/** Makes NAME.img: what an instance is launched with, and beside it who the instance is to the server of its secrets. */
async function launchData(
  name: string,
  { secrets, environment, token }: SecretServer,
  early: readonly string[] = [],
): Promise<void> {
  const files = ws.path(name);
  mkdirSync(files);
  writeFileSync(join(files, 'meta-data'), `instance-id: ${name}-1\nlocal-hostname: db1\n`);
  const lines = Object.entries(environment).map(([variable, value]) => `      ${variable}=${value}\n`);
  writeFileSync(
    join(files, 'user-data'),
    `#cloud-config
bootcmd:
${early.map((line) => `  - ${JSON.stringify(line)}\n`).join('')}  - echo boot >> /var/lib/boots
  # In its own turn: cloud-init reads that disk, too, and takes one that is mounted meanwhile for none.
  - mkdir -p ${dirname(TOKEN_FILE)}
  - mount -o ro,umask=077 LABEL=CIDATA /mnt && { cp /mnt/token ${TOKEN_FILE}; umount /mnt; }
  - [cloud-init-per, instance, once, sh, -c, "echo instance >> /var/lib/instances"]
write_files:
  - path: /run/stall
    content: ""
  - path: /var/lib/instances
    append: true
    content: "files\\n"
  - path: /etc/ingot/instance.json
    permissions: '0600'
    content: '{"role": "primary", "secrets": "${secrets}"}'
  - path: /etc/ingot/agent.env
    permissions: '0600'
    content: |
${lines.join('')}`,
  );
  const { exitCode, stderr } = await ws.run('render', name, '--seed', `${name}.img`);
  if (exitCode !== 0) throw new Error(stderr);
  if (token === undefined) return;
  writeFileSync(join(files, 'token'), token);
  execFileSync('mcopy', ['-i', ws.path(`${name}.img`), join(files, 'token'), '::']);
}

/** Boots the copy NAME.qcow2 until it says how it stands; `onLine` hears what it says meanwhile. */
async function boot(name: string, o: Boot = {}): Promise<Finished> {
  const child = start(name, o);
  for (const input of [child.stdout, child.stderr])
    if (input && o.onLine) createInterface({ input }).on('line', o.onLine);
  return await finished(child);
}

interface Boot {
  /** Launch-time data; default: that of OpenBao. */
  readonly seed?: string;
  readonly onLine?: (line: string) => void;
}

function start(name: string, { seed = 'bao' }: Boot): ChildProcess {
  return ws.start('boot', ...WAIT, '--seed', `${seed}.img`, '--persist', `${name}.qcow2`, image);
}

const disk = (name: string) => filesOf(ws.path(`${name}.qcow2`), image);

function expectReady({ exitCode, stdout, stderr }: Finished): void {
  expect(exitCode, stdout + stderr).toBe(0);
}

describe('instances of one image, told apart by their references', () => {
  const heard: string[] = [];
  let one: Finished;
  let other: Finished | undefined;

  // Side by side: of what a boot takes, one processor has the most.
  beforeAll(async () => {
    let written: Promise<void> | undefined;
    const first = boot('one', {
      onLine(line) {
        heard.push(line);
        // Only when it has told that the secret is missing is there one.
        if (line.includes('ingot: waiting:')) written ??= bao.put(FIRST);
      },
    });
    [one, other] = await Promise.all([first, motoTool.missing ? undefined : bootByAws()]);
    await written;
  }, 1_800_000);

  async function bootByAws(): Promise<Finished> {
    await using aws = await startAws();
    await aws.put({ password: 'aws-passw0rd', key: 'aws-k3y' });
    await launchData('aws', aws);
    return await boot('aws', { seed: 'aws' });
  }

  test(`by ${OPENBAO}: waits for its secrets, says what is missing, and is ready`, () => {
    expectReady(one);
    expect(heard.find((line) => line.includes('ingot: waiting:'))).toContain('there is no');
    expect(heard.some((line) => /ingot: ready in \d/.test(line))).toBe(true);
    for (const value of Object.values(FIRST)) expect(heard.join('\n')).not.toContain(value);
    using files = disk('one');
    expect(files.cat('/etc/app.conf')).toBe('role=primary pw=hunter2-first\n');
    expect(files.stat('/etc/app.conf')).toMatch(/Mode: +0600/);
  });

  test.skipIf(motoTool.missing)(
    `by AWS Secrets Manager, as moto has it${motoTool.missing ? ` (skipped: ${motoTool.missing})` : ''}`,
    () => {
      expectReady(other as Finished);
      using files = disk('aws');
      expect(files.cat('/etc/app.conf')).toBe('role=primary pw=aws-passw0rd\n');
      expect(files.cat('/var/lib/joined')).toBe('joined with aws-passw0rd\n');
      expect(files.cat('/var/lib/app/starts')).toBe('role=primary pw=aws-passw0rd\nkey=aws-k3y\n');
      const told = files.all('/var/log') + files.all('/var/lib/cloud');
      expect(told).toContain('joining with');
      for (const value of ['aws-passw0rd', 'aws-k3y']) {
        expect(told).not.toContain(value);
        expect(readFileSync(ws.path('aws.img')).includes(value)).toBe(false);
      }
    },
  );

  test(`in ${REBOOTS} reboots makes what belongs to each start, and nothing else`, async () => {
    const keys = [FIRST.key];
    for (let n = 1; n <= REBOOTS; n++) {
      keys.push(`k3y-${n}`);
      await bao.put({ password: 'hunter2-later', key: `k3y-${n}` });
      expectReady(await boot('one'));
    }
    using files = disk('one');
    // cloud-init: each boot what belongs to the boot, once what belongs to the instance.
    expect(files.cat('/var/lib/boots')).toBe('boot\n'.repeat(REBOOTS + 1));
    expect(files.cat('/var/lib/instances')).toBe('instance\nfiles\n');
    // The one-shot: once, by the values of that time.
    expect(files.cat('/etc/app.conf')).toBe('role=primary pw=hunter2-first\n');
    expect(files.cat('/var/lib/joined')).toBe('joined with hunter2-first\n');
    // ExecStartPre=: before each start, by the values of that start.
    const starts = keys.map((key) => `role=primary pw=hunter2-first\nkey=${key}\n`);
    expect(files.cat('/var/lib/app/starts')).toBe(starts.join(''));
    // What the command printed is in the journal, but for the secret.
    const logs = files.all('/var/log') + files.all('/var/lib/cloud');
    expect(logs).toContain('joining with');
    for (const value of [...Object.values(FIRST), 'hunter2-later', ...keys])
      expect(logs).not.toContain(value);
    expect(files.all('/var/log')).not.toContain(bao.token);
  });

  test('its secrets are neither in its image nor in its user-data', () => {
    for (const path of [image, ws.path('bao.img')])
      for (const value of ['hunter2-', 'k3y-']) expect(readFileSync(path).includes(value), path).toBe(false);
  });
});

describe.runIf(isLong)('in the long form', () => {
  const vals = goTool('vals');
  test.skipIf(vals.missing)('an image with its own vals, and without the agent, is ready, too', async () => {
    await bao.put(FIRST);
    const own = new Workspace({ INGOT_CACHE_DIR: ws.env.INGOT_CACHE_DIR });
    try {
      rmSync(own.project, { recursive: true });
      for (const folder of [FIXTURE, `${FIXTURE}-vals`]) cpSync(folder, own.project, { recursive: true });
      cpSync(vals.path, own.path('vals'));
      const built = await own.build();
      const target = built.images[0]?.outputs[0]?.path as string;
      cpSync(ws.path('bao.img'), own.path('bao.img'));
      const args = ['--seed', 'bao.img', '--persist', 'vals.qcow2', target];
      expectReady(await own.run('boot', ...WAIT, ...args));
      using files = filesOf(own.path('vals.qcow2'), target);
      expect(files.cat('/etc/app.conf')).toBe('pw=hunter2-first\n');
      expect(files.cat('/var/lib/joined')).toBe('joined\n');
      expect(files.cat('/var/lib/app/starts')).toBe('pw=hunter2-first\nkey=k3y-0\n');
      for (const value of Object.values(FIRST)) expect(files.all('/var/log')).not.toContain(value);
    } finally {
      own.remove();
    }
  });

  test('a power cut within a module of cloud-init does not leave out what that had to do', async () => {
    await bao.put(FIRST);
    // A pipe that nobody reads holds write_files up, which cloud-init has marked as run by then.
    const stall =
      'test -e /var/lib/boots || { mkfifo /run/stall; (sleep 10; sync; echo ingot: waiting: write_files stands still >/dev/console) & }';
    await launchData('stalled', bao, [stall]);
    const child = start('stalled', { seed: 'stalled' });
    const ended = finished(child);
    for (const input of [child.stdout, child.stderr]) {
      // The emulator goes with us: to the machine that is its power.
      if (input)
        createInterface({ input }).on(
          'line',
          (line) => line.includes('write_files stands still') && child.kill('SIGKILL'),
        );
    }
    await ended;
    expect((await ws.run('clean')).exitCode).toBe(0);
    {
      using files = disk('stalled');
      expect(files.names('/var/lib/cloud/instance/sem')).toContain('config_write_files');
      expect(files.names('/etc/ingot')).not.toContain('instance.json');
    }
    expectReady(await boot('stalled', { seed: 'stalled' }));
    using files = disk('stalled');
    expect(files.cat('/etc/app.conf')).toBe('role=primary pw=hunter2-first\n');
    // Begun anew: what had been done before the cut is done once more.
    expect(files.cat('/var/lib/instances')).toBe('instance\ninstance\nfiles\n');
    expect(files.names('/var/lib/ingot')).toEqual(
      expect.arrayContaining(['cloud-init.done', 'first-boot.done']),
    );
    rmSync(ws.path('stalled.qcow2'));
  });

  test(`after ${CUTS} power cuts at random moments of the first boot nothing is half, and the next boot is configured`, async () => {
    await bao.put(FIRST);
    const seed = Number(process.env.INGOT_FAULT_SEED ?? Date.now() % 100_000);
    console.log(`INGOT_FAULT_SEED=${seed}`);
    let state = seed;
    const random = (): number => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return state / 2 ** 31;
    };
    const began = Date.now();
    expectReady(await boot('whole'));
    const whole = Date.now() - began;
    rmSync(ws.path('whole.qcow2'));
    for (let i = 0; i < CUTS; i++) {
      const name = `cut-${i}`;
      // The kernel and cloud-init come first; what is ours is in the last half.
      const moment = (0.5 + random() / 2) * whole;
      const child = start(name, {});
      const ended = finished(child);
      await Promise.race([sleep(moment), ended]);
      // The emulator goes with us: to the machine that is its power.
      child.kill('SIGKILL');
      await ended;
      const when = `after a cut at ${Math.round(moment)} of ${whole} ms (seed ${seed})`;
      expect((await ws.run('clean')).exitCode, when).toBe(0);
      console.log(
        `${when}: ${existsSync(ws.path(`${name}.qcow2`)) ? expectNothingHalf(name, when) : 'no disk'}`,
      );
      expectReady(await boot(name));
      using files = disk(name);
      expect(files.cat('/etc/app.conf'), when).toBe('role=primary pw=hunter2-first\n');
      expect(files.names('/var/lib/ingot'), when).toContain('first-boot.done');
      const parts = files.names('/etc').filter((entry) => entry.endsWith('.part'));
      expect(parts, when).toEqual([]);
      rmSync(ws.path(`${name}.qcow2`));
    }
  });

  /** Answers how far the first boot had come. */
  function expectNothingHalf(name: string, when: string): string {
    using files = disk(name);
    const textOf = (folder: string, file: string): string =>
      files.names(folder).includes(file) ? files.cat(`${folder}/${file}`) : '';
    const isDone = files.names('/var/lib/ingot').includes('first-boot.done');
    const whole = 'role=primary pw=hunter2-first\n';
    const conf = textOf('/etc', 'app.conf');
    expect(isDone ? [whole] : ['', whole], when).toContain(conf);
    const joined = textOf('/var/lib', 'joined');
    if (isDone) expect(joined, when).toContain('joined with hunter2-first\n');
    // The application has never run without its configuration.
    // ext4 may give a file its length before its content is on the disk: zeros are what was not written yet.
    const starts = textOf('/var/lib/app', 'starts').replace(/\0+$/, '');
    expect(`${whole}key=k3y-0\n`.startsWith(starts), `${when}: ${starts}`).toBe(true);
    return isDone
      ? 'done'
      : joined !== ''
        ? 'its commands ran'
        : conf !== ''
          ? 'its files were there'
          : 'nothing';
  }
});
