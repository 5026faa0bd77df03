import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/core/digest.ts';
import type { Layer } from '../../../src/core/layer.ts';
import { exportOutputs } from '../../../src/disk/formats/index.ts';
import { paxMember } from '../../../src/disk/formats/pax.ts';
import { tarHeader } from '../../../src/disk/formats/tar-header.ts';
import { run, testContext } from './context.ts';
import { EPOCH, noise, SEED, sha256Of, STAMP } from './disks.ts';
import { OCI } from './options.ts';

let dir: string;
let chain: Layer[];

/** Makes an empty file or folder with extended attributes; tar sets what node cannot. */
function withAttributes(root: string, name: string, attributes: Record<string, Buffer>): void {
  const records = Object.entries(attributes).map(([key, value]) => [`SCHILY.xattr.${key}`, value] as const);
  const header = tarHeader({ name, size: 0, mtime: 1, mode: 0o755, type: name.endsWith('/') ? '5' : '0' });
  const input = Buffer.concat([paxMember('x', records, 1), header, Buffer.alloc(1024)]);
  execFileSync('tar', ['--xattrs', '--xattrs-include=*', '-x', '-C', root], { input });
}

/** Two layers: one with files of every kind, one that deletes and replaces. */
function makeChain(root: string): Layer[] {
  const low = `${root}/low/fs`;
  const high = `${root}/high/fs`;
  for (const folder of [
    `${low}/etc`,
    `${low}/replaced`,
    `${low}/bin`,
    `${high}/etc`,
    `${high}/replaced`,
    `${high}/bin`,
  ]) {
    mkdirSync(folder, { recursive: true });
  }
  writeFileSync(`${low}/etc/motd`, 'hello');
  writeFileSync(`${low}/etc/keep`, 'kept');
  writeFileSync(`${low}/replaced/old`, 'old');
  writeFileSync(`${low}/bin/large`, noise(700_000, 3));
  writeFileSync(`${low}/${'long-'.repeat(40)}`, 'x');
  const sh = (script: string) => execFileSync('sh', ['-euc', script], { cwd: low });
  sh(
    'ln etc/keep etc/hard; ln -s ../etc/keep bin/soft; mkfifo bin/fifo; mknod bin/null c 1 3; chown 33:44 etc/keep; chmod 4711 bin/large',
  );
  execFileSync('mknod', [`${high}/etc/motd`, 'c', '0', '0']);
  writeFileSync(`${high}/replaced/new`, 'new');
  withAttributes(high, 'replaced/', { 'trusted.overlay.opaque': Buffer.from('y') });
  withAttributes(high, 'bin/ping', {
    'security.capability': Buffer.from('0100000200200000ff0080000000000000000000', 'hex'),
    'user.note': Buffer.from('caf\u00e9'),
  });
  utimesSync(`${low}/etc/keep`, 1_600_000_000, 1_600_000_000.5);
  return ['low', 'high'].map((name) => ({
    id: sha256(name),
    kind: 'overlay',
    parents: [],
    blobs: [],
    localOnly: false,
    result: null,
    dir: `${root}/${name}`,
  }));
}

async function exportOne(folder: string, format: string, options: object, layers = chain) {
  mkdirSync(folder, { recursive: true });
  const rootfs = { chain: layers, dir: `${(layers[0] as Layer).dir}/fs` };
  const request = { format, options, target: `${folder}/out.${format}`, seed: SEED };
  const [file] = await exportOutputs(
    { rootfs, stamp: STAMP, epoch: EPOCH },
    [request],
    testContext(`${folder}/work`),
  );
  return file as NonNullable<typeof file>;
}

beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/ingot-formats-`);
  chain = makeChain(dir);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe.each([
  ['oci', OCI],
  ['oci', { ...OCI, compression: 'zstd' }],
  ['rootfs', { level: 3 }],
])('%s with %j', (format, options) => {
  test('gives equal bytes from copies made in another order, folder, time zone and umask', async () => {
    const first = await exportOne(`${dir}/a`, format, options);
    expect(first.digest).toBe(sha256Of(first.path));
    const other = `${dir}/elsewhere`;
    mkdirSync(other);
    // find answers in the file system's order, tac turns it round: folders get their entries the other way.
    await run('sh', [
      '-euc',
      `for l in low high; do mkdir $0/$l; (cd ${dir}/$l; find fs | tac | tar --xattrs --xattrs-include='*' --no-recursion -T - -c | tar --xattrs --xattrs-include='*' -xp -C $0/$l); done`,
      other,
    ]);
    const copies = chain.map((layer) => ({ ...layer, dir: layer.dir.replace(dir, other) }));
    const mask = process.umask(0o077);
    const zone = process.env.TZ;
    process.env.TZ = 'America/St_Johns';
    const second = await exportOne(`${dir}/b`, format, options, copies);
    process.umask(mask);
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
    expect(second.digest).toBe(first.digest);
    expect(statSync(second.path).mode & 0o777).toBe(0o644);
  });
});

test('rootfs unpacks to the same tree, with owners, modes, links, devices and clamped times', async () => {
  const file = await exportOne(`${dir}/a`, 'rootfs', { level: 1 }, [chain[1] as Layer]);
  const list = (await run('sh', ['-c', `zstd -dc ${file.path} | tar --xattrs --xattrs-include='*' -tvv`]))
    .stdout;
  expect(list).toContain('security.capability');
  expect(list).toContain('user.note');
  const low = await exportOne(`${dir}/b`, 'rootfs', { level: 3 });
  mkdirSync(`${dir}/x`);
  await run('sh', [
    '-euc',
    `zstd -dc ${low.path} | tar --xattrs --xattrs-include='*' --numeric-owner -xp -C ${dir}/x`,
  ]);
  await run('diff', [
    '-r',
    '--no-dereference',
    '--exclude=fifo',
    '--exclude=null',
    `${dir}/low/fs`,
    `${dir}/x`,
  ]);
  const stat = async (path: string) =>
    (await run('stat', ['-c', '%u:%g %a %h %t,%T %Y', `${dir}/x/${path}`])).stdout.trim();
  expect(await stat('etc/keep')).toBe('33:44 644 2 0,0 1600000000');
  expect(await stat('bin/large')).toBe(`0:0 4711 1 0,0 ${EPOCH}`);
  expect(await stat('bin/null')).toMatch(/ 1,3 /);
  const comment = execFileSync('sh', ['-c', `zstd -dc ${low.path} | head -c 1024 | tail -c 512`]).toString();
  expect(comment).toContain('"version":"1.2.0"');
});

test('oci is the finished tree in one layer, and is what its digests say', async () => {
  const file = await exportOne(`${dir}/a`, 'oci', OCI);
  mkdirSync(`${dir}/x`);
  await run('tar', ['-xf', file.path, '-C', `${dir}/x`]);
  const json = (path: string) => JSON.parse(readFileSync(`${dir}/x/${path}`, 'utf8'));
  const blob = (digest: string) => `blobs/${digest.replace(':', '/')}`;
  expect(json('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
  const [described] = json('index.json').manifests;
  expect(described.annotations).toEqual({ 'org.opencontainers.image.ref.name': '1.2.0' });
  const manifest = json(blob(described.digest));
  for (const descriptor of [described, manifest.config, ...manifest.layers]) {
    expect(sha256Of(`${dir}/x/${blob(descriptor.digest)}`)).toBe(descriptor.digest);
    expect(readFileSync(`${dir}/x/${blob(descriptor.digest)}`).length).toBe(descriptor.size);
  }
  const config = json(blob(manifest.config.digest));
  expect(config).toMatchObject({ created: '2023-11-14T22:13:20Z', os: 'linux', architecture: 'amd64' });
  expect(config.config.Labels).toMatchObject({
    'org.opencontainers.image.revision': STAMP.commit,
    'dev.ingot.note': STAMP.note,
  });
  const layers = manifest.layers.map((layer: { digest: string }) => `${dir}/x/${blob(layer.digest)}`);
  for (const [i, layer] of layers.entries()) {
    await run('sh', ['-c', `zcat ${layer} > ${dir}/layer.tar`]);
    expect(sha256Of(`${dir}/layer.tar`)).toBe(config.rootfs.diff_ids[i]);
  }
  expect(layers).toHaveLength(1);
  const names = (await run('tar', ['-tzf', layers[0]])).stdout.trim().split('\n');
  expect(names).toContain('etc/motd');
  // What sealing removed is in the layers of the build, and must not be in the image.
  expect(names).not.toContain('bin/ping');
});

test('a folder that tar cannot read fails, and leaves nothing', async () => {
  const layers = chain.map((layer) => ({ ...layer, dir: `${layer.dir}-gone` }));
  await expect(exportOne(`${dir}/a`, 'rootfs', { level: 3 }, layers)).rejects.toMatchObject({
    code: 'output/failed',
  });
  expect(existsSync(`${dir}/a/out.rootfs`)).toBe(false);
});

// skopeo is not among the packages that Ingot needs; where it is installed, it has the last word.
test.skipIf(!existsSync('/usr/bin/skopeo')).each(['gzip', 'zstd'])(
  'skopeo takes an oci archive with %s',
  async (compression) => {
    const file = await exportOne(`${dir}/a`, 'oci', { ...OCI, compression });
    await run('skopeo', ['copy', '--quiet', `oci-archive:${file.path}:1.2.0`, `dir:${dir}/copied`]);
    const inspected = JSON.parse((await run('skopeo', ['inspect', `oci-archive:${file.path}`])).stdout);
    expect(inspected).toMatchObject({ Architecture: 'amd64', Created: '2023-11-14T22:13:20Z' });
  },
);
