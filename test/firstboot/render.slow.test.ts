import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openImage } from '../../src/app/open-image.ts';
import { openSession, type Session } from '../../src/app/session.ts';
import { createOverlay } from '../../src/host/qemu-image.ts';
import { startQemu } from '../../src/host/qemu.ts';
import { runCli } from '../cli/run-cli.ts';
import { vmBase } from '../machines/vm-base.ts';
import { root } from '../project/source-files.ts';

const WEB = join(root, 'test/fixtures/render/web');
const deps = { emit: () => {}, signal: new AbortController().signal };

let dir: string;
let base: string;
let session: Session;
/** The image's filesystem, as a folder. */
let tree: string;
let diskSize: number;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-render-'));
  base = vmBase(dir);
  session = openSession(deps, { ...process.env, INGOT_CACHE_DIR: join(dir, 'cache'), INGOT_DATA_DIR: dir });
  tree = join(dir, 'tree');
  await using image = await openImage({ image: base }, session, deps);
  diskSize = image.disk?.virtualSize ?? 0;
  execFileSync('cp', ['-a', image.dir, tree]);
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const render = (...args: string[]) => runCli(['render', ...args], { NO_COLOR: '1' });

/** Runs a command in the image, with a file of this content as its last argument. */
function inImage(command: readonly string[], content: string | Buffer) {
  writeFileSync(join(tree, 'tmp/input'), content);
  return spawnSync('chroot', [tree, ...command, '/tmp/input'], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' },
  });
}

test('our copy of the schema is that of the image, and --image finds it there', async () => {
  const shipped = 'usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json';
  expect(readFileSync(join(tree, shipped), 'utf8')).toBe(
    readFileSync(join(root, 'schema/cloud-init/22.4.2.json'), 'utf8'),
  );
  const { stdout } = await render(WEB, '--values', join(WEB, 'values.yaml'), '--image', tree, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ cloudInit: '22.4.2', diagnostics: [] });
});

/** Each with whether cloud-init takes it. */
const CONFIGS: readonly (readonly [boolean, string])[] = [
  [true, 'hostname: web1\npackages: [nginx, [libc6, "2.36"]]\n'],
  [true, 'users: [default, {name: bob, ssh_authorized_keys: [ssh-ed25519 AAAA], groups: [sudo]}]\n'],
  [true, 'write_files: [{path: /a, content: !!binary aGVsbG8=, permissions: "0644"}]\n'],
  [true, 'runcmd:\n- [ls, -l]\n- echo hi\n- null\n'],
  [
    true,
    'mounts: [[vdb, /srv, auto, "defaults,nofail", "0", "2"]]\nmount_default_fields: [null, null, auto, defaults, "0", "2"]\n',
  ],
  [true, 'package_update: yes\nssh_pwauth: off\n'],
  [true, 'ca_certs: {remove_defaults: true, trusted: [x]}\nntp: {enabled: true, servers: [a.b]}\n'],
  [true, 'power_state: {mode: reboot, delay: now, condition: true}\n'],
  [true, 'apt: {sources: {a: {source: "deb http://x y z"}}}\nbootcmd: [[a], b]\n'],
  [true, 'disk_setup: {/dev/vdb: {table_type: gpt, layout: [50, [50, 82]], overwrite: false}}\n'],
  [true, 'hostname: y\nfinal_message: 1e3\n'],
  [true, 'nonsense: 1\n'],
  [false, 'hostname: 5\n'],
  [false, 'runcmd: ls\n'],
  [false, 'users: [{name: bob, sudoo: x}]\n'],
  [false, 'users: [{gecos: x}]\n'],
  [false, 'write_files: [{content: x}]\n'],
  [false, 'write_files: [{path: /a, encoding: rot13}]\n'],
  [false, 'write_files: []\n'],
  [false, 'package_update: 1\n'],
  [false, 'mounts: [[]]\n'],
  [false, 'power_state: {mode: halten}\n'],
  [false, 'power_state: {delay: now}\n'],
  [false, 'users: [{name: a, expiredate: 2030-01-01}]\n'],
  [false, 'locale: 2024-01-01\n'],
  [false, 'ntp: {pools: [a, a]}\n'],
  [false, 'growpart: {mode: always}\n'],
  [false, 'ca_certs: {trust: [x]}\n'],
  [false, 'apt: {preserve_sources_list: "no"}\n'],
  [false, 'resize_rootfs: maybe\n'],
  [false, 'keyboard: {model: pc105}\n'],
  [false, 'hostname: 22:22\n'],
  [false, 'hostname: 0x1f\n'],
  [false, 'hostname: 1_000\n'],
  [false, 'hostname: .5\n'],
  [false, 'hostname: ~\n'],
  [false, 'hostname: a\n\tx: b\n'],
];

/** What `cloud-init schema` says of each text of a list. */
const VALIDATE = `
import json, sys
from cloudinit.config import schema
answers = []
for text in json.load(open(sys.argv[1])):
    open('/tmp/config', 'w').write(text)
    try:
        schema.validate_cloudconfig_file('/tmp/config', schema.get_schema())
        answers.append(True)
    except (schema.SchemaValidationError, RuntimeError):
        answers.append(False)
print(json.dumps(answers))
`;

test('cloud-init schema says of each #cloud-config what we say', async () => {
  const texts = CONFIGS.map(([, text]) => `#cloud-config\n${text}`);
  const { stdout, stderr } = inImage(['python3', '-c', VALIDATE], JSON.stringify(texts));
  const theirs = JSON.parse(stdout.trim().split('\n').at(-1) ?? stderr) as boolean[];
  expect(theirs.map((isValid, i) => [isValid, CONFIGS[i]?.[1]])).toEqual(CONFIGS);
  for (const [i, text] of texts.entries()) {
    const path = join(dir, 'config.yaml');
    writeFileSync(path, text);
    const ours = await render('--user-data', path, '--check');
    expect([ours.code === 0, text], ours.stderr).toEqual([theirs[i], text]);
  }
});

/** What cloud-init makes of user-data: type, name and text of each part. */
const PARTS = `
import json, sys
from cloudinit import helpers, user_data
blob = open(sys.argv[1], 'rb').read()
message = user_data.UserDataProcessor(helpers.Paths({})).process(blob)
print(json.dumps([[p.get_content_type(), p.get_filename(), p.get_payload(decode=True).decode()]
                  for p in message.walk() if not p.is_multipart()]))
`;

test.each(['nocloud', 'aws'])(
  'cloud-init takes the message for %s apart as it was put together',
  async (provider) => {
    const values = ['--values', join(WEB, 'values.yaml')];
    const out = join(dir, `parts-${provider}`);
    // More than a provider takes, so that it comes compressed.
    const more = join(dir, 'more.sh');
    writeFileSync(more, `#!/bin/sh\n${'echo ü\n'.repeat(9000)}`);
    const files = ['10-base.yaml.tftpl', '20-firewall.sh', '30-early'].map((name) =>
      join(WEB, 'user-data', name),
    );
    const args = [...files, more].flatMap((path) => ['--user-data', path]);
    expect((await render(...args, ...values, '--provider', provider, '-o', out)).code).toBe(0);
    const data = readFileSync(join(out, 'user-data'));
    expect(data[0] === 0x1f).toBe(provider === 'aws');
    const { stdout, stderr } = inImage(['python3', '-c', PARTS], data);
    expect(stderr).toBe('');
    const parts = JSON.parse(stdout) as [string, string, string][];
    expect(parts.map(([type, name]) => [type, name])).toEqual([
      ['text/cloud-config', '10-base.yaml'],
      ['text/x-shellscript', '20-firewall.sh'],
      ['text/cloud-boothook', '30-early'],
      ['text/x-shellscript', 'more.sh'],
    ]);
    expect(parts[1]?.[2]).toBe(readFileSync(files[1] as string, 'utf8'));
    expect(parts[3]?.[2]).toBe(readFileSync(more, 'utf8'));
  },
);

test('equal data makes equal seeds, which hold it', async () => {
  for (const ending of ['iso', 'img']) {
    const seeds = ['a', 'b'].map((name) => join(dir, `${name}.${ending}`));
    for (const seed of seeds) await render(WEB, '--values', join(WEB, 'values.yaml'), '--seed', seed);
    const [a, b] = seeds.map((seed) => readFileSync(seed));
    expect(b?.equals(a ?? Buffer.alloc(0))).toBe(true);
  }
  const disc = execFileSync(
    'xorriso',
    ['-indev', join(dir, 'a.iso'), '-pvd_info', '-find', '/', '-type', 'f'],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  expect(disc).toMatch(/Volume Id\s*: CIDATA/);
  expect(disc.match(/'\/[a-z-]+'/g)?.sort()).toEqual(
    ["'/meta-data'", "'/network-config'", "'/user-data'", "'/vendor-data'"].sort(),
  );
});

// In the short form the machine of e2e/first-boot.fault is the one that has its seed from us.
const isLong = process.env.INGOT_FAULTS === 'long';
test.runIf(isLong)('a machine with the seed has its name and its address', async () => {
  const config = join(dir, 'boot');
  mkdirSync(join(config, 'user-data'), { recursive: true });
  writeFileSync(
    join(config, 'user-data/10-report.yaml.tftpl'),
    '#cloud-config\nruncmd:\n- |\n  echo "seen: $(hostname) $(ip -brief -4 address show lan0) ${word}" > /dev/ttyS0\npower_state: {mode: poweroff}\n',
  );
  writeFileSync(
    join(config, 'user-data/20-boothook'),
    '#cloud-boothook\n#!/bin/sh\necho "hook ran" > /dev/ttyS0\n',
  );
  writeFileSync(
    join(config, 'network-config'),
    'version: 2\nethernets:\n  lan: {match: {macaddress: "52:54:00:12:34:56"}, set-name: lan0, addresses: [192.0.2.10/24]}\n',
  );
  const seed = join(dir, 'boot.img');
  const made = await render(
    config,
    '--set',
    'hostname=db7',
    '--set',
    'word=grün',
    '--seed',
    seed,
    '--image',
    tree,
  );
  expect(made).toMatchObject({ code: 0, stderr: '' });

  const disk = { path: base, format: 'qcow2', readOnly: true } as const;
  const state = join(dir, 'state');
  mkdirSync(state);
  await using qemu = await startQemu(
    {
      disk: {
        ...(await createOverlay(session.host, join(dir, 'overlay.qcow2'), disk, diskSize)),
        volatile: true,
      },
      stateDir: state,
      serial: [{ file: join(dir, 'console.log') }],
      network: 'isolated',
      extraDisks: [{ path: seed, format: 'raw', readOnly: true }],
      more: { mac: '52:54:00:12:34:56' },
    },
    { ...deps, host: session.host },
  );
  await qemu.ended;
  const console = readFileSync(join(dir, 'console.log'), 'utf8');
  expect(console).toContain('hook ran');
  expect(console).toMatch(/seen: db7 lan0 +UP +192\.0\.2\.10\/24 +grün/);
});
