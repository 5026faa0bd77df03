import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, finished, Workspace } from './ingot.ts';

// An image with a first_boot block, built by us and booted in QEMU, with its secrets on this host: 10.0.2.2 in the guest.

/** In `npm run test:faults` alone: each is two boots. */
const CUTS = 10;
const FIXTURE = join(import.meta.dirname, '../fixtures/first-boot');
const WAIT = ['--wait-ready', '--timeout', '15m', '--firmware', 'bios'];

let ws: Workspace;
let image: string;
let server: Server;
/** What the test server (it is no Vault, and answers as version 1 of its key-value engine does) has at secret/app. */
let secret: Record<string, string> | undefined;

beforeAll(async () => {
  ws = new Workspace();
  rmSync(ws.project, { recursive: true });
  cpSync(FIXTURE, ws.project, { recursive: true });
  server = createServer((request, response) => {
    if (request.url?.startsWith('/v1/sys/internal/ui/mounts/')) response.end('{"data": {"path": "secret/"}}');
    else if (secret === undefined) response.writeHead(404).end('{"errors": []}');
    else response.end(JSON.stringify({ data: secret }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const files = ws.path('seed');
  mkdirSync(files);
  writeFileSync(join(files, 'meta-data'), 'instance-id: i-1\nlocal-hostname: db1\n');
  writeFileSync(
    join(files, 'user-data'),
    `#cloud-config
write_files:
  - path: /etc/ingot/instance.json
    permissions: '0600'
    content: '{"role": "primary"}'
  - path: /etc/ingot/agent.env
    permissions: '0600'
    content: |
      VAULT_ADDR=http://10.0.2.2:${port}
      VAULT_TOKEN=t0ken
`,
  );
  const rendered = await ws.run('render', 'seed', '--seed', 'seed.img');
  if (rendered.exitCode !== 0) throw new Error(rendered.stderr);
  const built = await ws.build();
  image = built.images[0]?.outputs[0]?.path as string;
});
afterAll(async () => {
  ws.remove();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Boots the copy `overlay` until it says how it stands; `onLine` hears what it says meanwhile. */
async function boot(overlay: string, onLine: (line: string) => void = () => {}): Promise<Finished> {
  const child = start(overlay);
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data: Buffer) => {
      for (const line of data.toString().split('\n')) onLine(line);
    });
  return await finished(child);
}

function start(overlay: string): ChildProcess {
  return ws.start('boot', ...WAIT, '--seed', 'seed.img', '--persist', overlay, image);
}

/** Files of a machine that is off, by debugfs: nothing of it is run or mounted. */
function disk(overlay: string) {
  const raw = ws.path(`${overlay}.raw`);
  const qcow2 = (path: string) => ({ driver: 'qcow2', file: { driver: 'file', filename: path } });
  const source = `json:${JSON.stringify({ ...qcow2(ws.path(overlay)), backing: qcow2(image) })}`;
  execFileSync('qemu-img', ['convert', '-O', 'raw', source, raw]);
  const table = JSON.parse(execFileSync('sfdisk', ['-J', raw], { encoding: 'utf8' })) as {
    partitiontable: { partitions: { start: number; size: number; name: string }[] };
  };
  const { start = 0, size = 0 } = table.partitiontable.partitions.find((p) => p.name === 'root') ?? {};
  // By itself: e2fsck forgets where in a disk it was when it has replayed a journal.
  const root = ws.path(`${overlay}.root`);
  const part = [`skip=${start * 512}`, `count=${size * 512}`, 'iflag=skip_bytes,count_bytes'];
  execFileSync('dd', [`if=${raw}`, `of=${root}`, 'bs=1M', 'conv=sparse', ...part], { stdio: 'pipe' });
  rmSync(raw);
  // What the next boot does, too: the journal is replayed. 1 says that it was put in order.
  const { status, stdout } = spawnSync('e2fsck', ['-p', root], { encoding: 'utf8' });
  if (status === null || status > 1) throw new Error(`the filesystem is damaged: ${stdout}`);
  const debugfs = (command: string): string =>
    execFileSync('debugfs', ['-R', command, root], { encoding: 'utf8', stdio: 'pipe' });
  return {
    cat: (path: string) => debugfs(`cat ${path}`),
    stat: (path: string) => debugfs(`stat ${path}`),
    names: (path: string) =>
      debugfs(`ls -p ${path}`)
        .split('\n')
        .map((line) => line.split('/')[5] ?? ''),
    /** Every file below a folder as one text. */
    all(path: string): string {
      const target = ws.path(`${overlay}.files`);
      mkdirSync(target, { recursive: true });
      debugfs(`rdump ${path} ${target}`);
      const texts = readdirSync(target, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
      rmSync(target, { recursive: true });
      return texts.join('');
    },
    [Symbol.dispose]: () => rmSync(root),
  };
}

const FIRST = { password: 'hunter2-first', key: 'k3y-first' };
const SECOND = { password: 'hunter2-second', key: 'k3y-second' };
let seconds = 60;

describe('an instance', () => {
  test('waits for its secrets, says what is missing, configures itself once, and is ready', async () => {
    secret = undefined;
    const heard: string[] = [];
    const began = Date.now();
    const { exitCode, stdout, stderr } = await boot('one.qcow2', (line) => {
      heard.push(line);
      // Only when it has told that the secret is missing is there one.
      if (line.includes('ingot: waiting:')) secret = FIRST;
    });
    seconds = (Date.now() - began) / 1000;
    expect(exitCode, stdout + stderr).toBe(0);
    expect(heard.find((line) => line.includes('ingot: waiting:'))).toContain('there is no');
    expect(heard.some((line) => /ingot: ready in \d/.test(line))).toBe(true);
    using files = disk('one.qcow2');
    expect(files.cat('/etc/app.conf')).toBe('role=primary pw=hunter2-first\n');
    expect(files.stat('/etc/app.conf')).toMatch(/Mode: +0600/);
    expect(files.cat('/var/lib/joined')).toBe('joined with hunter2-first\n');
    expect(files.cat('/var/lib/app/starts')).toBe('role=primary pw=hunter2-first\nkey=k3y-first\n');
    // What the command printed is in the journal, but for the secret; and no secret of the key is anywhere but in tmpfs.
    const logs = files.all('/var/log');
    expect(logs).toContain('joining with');
    for (const value of [...Object.values(FIRST), 't0ken']) expect(logs).not.toContain(value);
  });

  test('makes on the next start what belongs to the start, and nothing else', async () => {
    secret = SECOND;
    const { exitCode, stdout, stderr } = await boot('one.qcow2');
    expect(exitCode, stdout + stderr).toBe(0);
    using files = disk('one.qcow2');
    expect(files.cat('/etc/app.conf')).toBe('role=primary pw=hunter2-first\n');
    expect(files.cat('/var/lib/joined')).toBe('joined with hunter2-first\n');
    expect(files.cat('/var/lib/app/starts')).toBe(
      'role=primary pw=hunter2-first\nkey=k3y-first\nrole=primary pw=hunter2-first\nkey=k3y-second\n',
    );
  });
});

test.runIf(process.env.INGOT_FAULTS === 'long')(
  `after ${CUTS} power cuts at random moments of the first boot nothing is half, and the next boot is configured`,
  async () => {
    secret = FIRST;
    const seed = Number(process.env.INGOT_FAULT_SEED ?? Date.now() % 100_000);
    console.log(`INGOT_FAULT_SEED=${seed}`);
    let state = seed;
    const random = (): number => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return state / 2 ** 31;
    };
    for (let i = 0; i < CUTS; i++) {
      const overlay = `cut-${i}.qcow2`;
      // The kernel and cloud-init come first; what is ours is in the last half.
      const moment = (0.5 + random() / 2) * seconds * 1000;
      const when = `after a cut at ${Math.round(moment)} ms (seed ${seed})`;
      const child = start(overlay);
      const ended = finished(child);
      await Promise.race([sleep(moment), ended]);
      // The emulator goes with us: to the machine that is its power.
      child.kill('SIGKILL');
      await ended;
      expect((await ws.run('clean')).exitCode, when).toBe(0);
      if (existsSync(ws.path(overlay))) {
        using files = disk(overlay);
        const isDone = files.names('/var/lib/ingot').includes('first-boot.done');
        const conf = files.names('/etc').includes('app.conf') ? files.cat('/etc/app.conf') : '';
        expect(conf, when).toMatch(
          isDone ? /^role=primary pw=hunter2-first\n$/ : /^(role=primary pw=hunter2-first\n)?$/,
        );
        if (isDone) expect(files.cat('/var/lib/joined'), when).toContain('joined with hunter2-first\n');
        // The application has never run without its configuration.
        const starts = files.names('/var/lib/app').includes('starts') ? files.cat('/var/lib/app/starts') : '';
        if (starts !== '') expect(starts, when).toContain('pw=hunter2-first\nkey=k3y-first\n');
      }
      const { exitCode, stdout, stderr } = await boot(overlay);
      expect(exitCode, `${when}: ${stdout}${stderr}`).toBe(0);
      using files = disk(overlay);
      expect(files.cat('/etc/app.conf'), when).toBe('role=primary pw=hunter2-first\n');
      expect(files.names('/var/lib/ingot'), when).toContain('first-boot.done');
      expect(
        files.names('/etc').filter((name) => name.endsWith('.part')),
        when,
      ).toEqual([]);
      rmSync(ws.path(overlay));
    }
  },
);
