import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Digest } from '../../../src/core/digest.ts';
import type { StagedLayer } from '../../../src/core/layer.ts';
import { epochOf, type Lock, type LockedApt } from '../../../src/core/lock.ts';
import type { Machine } from '../../../src/core/machine.ts';
import { placesOf } from '../../../src/sources/mmdebstrap/archive-memory.ts';
import { unpackTools } from '../../../src/sources/mmdebstrap/tools.ts';
import { mmdebstrapSource as source } from '../../../src/sources/mmdebstrap.ts';
import { optionsWith, type TestContext, testContext } from './context.ts';

const options = optionsWith({
  packages: ['cloud-init', 'dbus', 'ifupdown', 'netbase', 'nginx-light', 'openssh-server', 'sudo', 'zstd'],
  kernel: 'linux-image-cloud-amd64',
});
const lock: Lock = { version: 1, entries: {} };
let first: TestContext;
let entry: LockedApt;
let epoch: number;

/** What an image is made of: each path's type, mode, owner, time and content. */
function treeOf(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string) => {
    const host = join(root, path);
    const stat = lstatSync(host);
    const content = stat.isFile()
      ? createHash('sha256').update(readFileSync(host)).digest('hex')
      : stat.isSymbolicLink()
        ? readlinkSync(host)
        : '';
    const fields = [stat.mode.toString(8), stat.uid, stat.gid, stat.isFile() ? stat.nlink : 0, stat.mtimeMs];
    found.set(path, `${fields.join(' ')} ${content}`);
    if (stat.isDirectory())
      for (const name of readdirSync(host).sort()) visit(`${path}/${name}`.replace('//', '/'));
  };
  visit('/');
  return found;
}

function staged(dir: string): StagedLayer {
  mkdirSync(join(dir, 'fs'), { recursive: true });
  return {
    id: `sha256:${'1'.repeat(64)}` as Digest,
    dir,
    committedDir: dir,
    commit: () => Promise.reject(new Error('not here')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function build(ctx: TestContext, then?: (machine: Machine) => Promise<void>): Promise<string> {
  const { options: pinned } = await source.pin(options, ctx.pin({ mode: 'locked' }));
  const layer = join(ctx.dir, 'layer');
  await using machine = await source.start(pinned, undefined, ctx.run(epoch));
  await machine.snapshot?.(staged(layer));
  await then?.(machine);
  return join(layer, 'fs');
}

beforeAll(async () => {
  first = testContext(lock);
  await source.pin(options, first.pin());
  entry = lock.entries['mmdebstrap.web'] as LockedApt;
  epoch = epochOf(entry) ?? 0;
});

afterAll(() => first[Symbol.dispose]());

test('two bootstraps are the same, whatever the surroundings; apt inside sees the locked state', async () => {
  const root = await build(first, async (machine) => {
    const sh = async (script: string) => {
      const { exitCode, stdout, stderr } = await machine.communicator.exec(['sh', '-c', script]);
      expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
      return stdout;
    };
    expect(await sh('dpkg --audit; dpkg-query -W -f "\\${db:Status-Status}\\n" | sort -u')).toBe(
      'installed\n',
    );
    await sh('apt-get update && apt-get install -y --no-install-recommends hello');
    expect(await sh('hello')).toBe('Hello, world!\n');
    expect(await sh('ls /etc/apt/apt.conf.d')).toContain('00ingot-build');
    await sh('update-initramfs -u && test -e /var/lib/ingot/initramfs-requested && ! ls /boot/initrd*');
    expect(await sh('apt-mark showmanual')).toContain('nginx-light');
  });
  const one = treeOf(root);
  expect([...one.keys()].filter((path) => path.endsWith('00ingot-build'))).toEqual([]);
  const young = [...one].filter(([, fields]) => Number(fields.split(' ')[4]) > epoch * 1000);
  expect(young).toEqual([]);

  using second = testContext(lock);
  const { TZ } = process.env;
  process.env.TZ = 'Pacific/Kiritimati';
  process.umask(0o077);
  try {
    const two = treeOf(await build(second));
    expect([...two].filter(([path, fields]) => one.get(path) !== fields)).toEqual([]);
    expect(two.size).toBe(one.size);
  } finally {
    process.umask(0o022);
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  }
});

/** Where we differ from mmdebstrap on purpose; each line says why. */
const EXPLAINED: readonly RegExp[] = [
  // The initramfs is made once, by the disk room; until then a stand-in notes that it is wanted.
  /^\/boot\/initrd/,
  /^\/usr\/sbin\/update-initramfs/,
  /^\/var\/lib\/ingot/,
  /^\/var\/lib\/dpkg\/diversions$/,
  // A running system's: devtmpfs and tmpfs are mounted there.
  /^\/dev\/|^\/run\/|^\/(dev|run)$/,
  // The building host's, or one machine's identity.
  /^\/etc\/(hostname|resolv\.conf|machine-id)$/,
  /^\/etc\/ssh\/ssh_host_/,
  /^\/var\/lib\/dbus\/machine-id$/,
  // A placeholder for what the disk room writes.
  /^\/etc\/fstab$/,
  // Backups, locks, logs and caches.
  /^\/etc\/(passwd|shadow|group|gshadow)-$|^\/etc\/\.pwd\.lock$/,
  /^\/var\/lib\/dpkg\/.*(-old|[Ll]ock|lock-frontend)$/,
  /^\/var\/cache\/(apt|ldconfig)|-old$/,
  /^\/var\/log\/(apt|alternatives\.log|dpkg\.log)/,
  // Which mirror was used, and what it had.
  /^\/etc\/apt\/sources\.list/,
  /^\/var\/lib\/apt\/lists/,
];
/** The same lines in another order, days of password changes aside: packages were configured in another order. */
const SORTED = new Set([
  '/etc/group',
  '/etc/gshadow',
  '/etc/passwd',
  '/etc/shadow',
  '/etc/shells',
  '/var/lib/dpkg/triggers/File',
]);
/** Written in the order of events, and who first asked a question. */
const ORDER_OF_EVENTS = new Set([
  '/var/cache/debconf/config.dat',
  '/var/lib/apt/extended_states',
  '/var/lib/dpkg/status',
]);

// Two minutes of a second bootstrap: in the long form, which test:faults runs.
const isLong = process.env.INGOT_FAULTS === 'long';
test.runIf(isLong)('the tree is the one that mmdebstrap makes of the same packages', async () => {
  using ctx = testContext(lock, join(first.dir, 'cache'));
  const ours = await build(ctx);
  const stock = join(ctx.dir, 'stock');
  const list = join(ctx.dir, 'sources.list');
  const lines = placesOf(entry, ctx.run(epoch)).map(
    (w) => `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${w.bases[0]} ${w.suite} main\n`,
  );
  writeFileSync(list, lines.join(''));
  const include = [...options.packages, options.kernel, 'initramfs-tools', 'systemd-sysv'].join(',');
  await ctx
    .run(epoch)
    .host.run('mmdebstrap', [
      '--quiet',
      '--variant=minbase',
      `--include=${include}`,
      'bookworm',
      stock,
      list,
    ]);

  const { host } = ctx.run(epoch);
  const query = async (root: string) =>
    (await host.run('dpkg-query', [`--admindir=${root}/var/lib/dpkg`, '-W'])).stdout;
  expect(await query(ours)).toBe(await query(stock));
  const auto = (root: string) =>
    [...readFileSync(join(root, 'var/lib/apt/extended_states'), 'utf8').matchAll(/^Package: (.*)$/gm)]
      .map((m) => m[1] ?? '')
      .sort();
  // The archive may lower the priority that a package gives itself; only the package's own is in the image.
  const required = await host.run('dpkg-query', [
    `--admindir=${ours}/var/lib/dpkg`,
    '--show',
    '--showformat=${Package} ${Priority}\n',
  ]);
  const base = (name: string) => required.stdout.includes(`${name} required\n`);
  expect(auto(ours)).toEqual(auto(stock).filter((name) => !base(name)));

  // Type, mode, owner and content; times are ours.
  const plain = (fields: string) => fields.split(' ').toSpliced(3, 2).join(' ');
  const [a, b] = [treeOf(ours), treeOf(stock)];
  const differences = [...new Set([...a.keys(), ...b.keys()])].sort().filter((path) => {
    if (EXPLAINED.some((pattern) => pattern.test(path))) return false;
    const [x, y] = [plain(a.get(path) ?? ''), plain(b.get(path) ?? '')];
    if (x === y) return false;
    const withoutContent = (fields: string) => fields.split(' ').slice(0, 3).join(' ');
    if (withoutContent(x) !== withoutContent(y)) return true;
    if (ORDER_OF_EVENTS.has(path)) return false;
    if (!SORTED.has(path)) return true;
    const sorted = (root: string) =>
      readFileSync(join(root, path), 'utf8')
        .replaceAll(/:2\d{4}:/g, ':days:')
        .split('\n')
        .sort();
    return JSON.stringify(sorted(ours)) !== JSON.stringify(sorted(stock));
  });
  expect(differences).toEqual([]);
});

test('the boot loaders are unpacked beside the image, once', async () => {
  const ctx = first.run(epoch);
  const dir = await unpackTools(entry, ctx);
  expect(readdirSync(join(dir, 'usr/lib/grub'))).toEqual(expect.arrayContaining(['i386-pc', 'x86_64-efi']));
  const before = lstatSync(dir).ino;
  expect(lstatSync(await unpackTools(entry, ctx)).ino).toBe(before);
});
