import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../../src/core/digest.ts';
import { createHost } from '../../../src/host/index.ts';
import type { Lock } from '../../../src/core/lock.ts';
import type { PinContext } from '../../../src/core/plugin.ts';
import { imageFile, pinQemu } from '../../../src/sources/qemu/pin.ts';
import type { QemuSourceOptions } from '../../../src/sources/qemu/options.ts';
import { claimName } from '../../../src/core/claim.ts';
import { decodeBody, emptyScope, parseHcl } from '../../../src/template/index.ts';
import { qemuSpec } from '../../../src/sources/qemu/options.ts';
import { fakeContext } from '../../provisioners/fake-machine.ts';

const IMAGE = Buffer.alloc(300_000, 'disk');
const HEX = sha256(IMAGE).slice(7);
const files = new Map<string, Buffer>();
let server: Server;
let url: string;
/** Bytes after which the server hangs up, once. */
let breakAfter: number | undefined;
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.range ?? ''}`.trim());
    const body = files.get(request.url ?? '');
    if (!body) return void response.writeHead(404).end();
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const rest = body.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': rest.length });
    if (breakAfter === undefined) return void response.end(rest);
    response.write(rest.subarray(0, breakAfter));
    breakAfter = undefined;
    // Once something of it has been kept: what is under way is lost with the connection.
    void vi.waitUntil(() => kept().length > 0, 30_000).then(() => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

/** What is there of a download that has not ended. */
function kept(): Buffer {
  const downloads = join(dir, 'downloads');
  const paths = readdirSync(downloads, { recursive: true, encoding: 'utf8' }).map((p) => join(downloads, p));
  return Buffer.concat(paths.filter((path) => statSync(path).isFile()).map((path) => readFileSync(path)));
}

let dir: string;
let lock: Lock;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-pin-'));
  lock = { version: 1, entries: {} };
  asked.length = 0;
  files.clear();
  files.set('/disk.qcow2', IMAGE);
});
afterEach(() => rmSync(dir, { recursive: true }));

function pin(text: string, mode: PinContext['mode'] = 'use') {
  const { body } = parseHcl(`disk_image = true\nssh_username = "root"\n${text}`, 'q.pkr.hcl');
  const decoded = decodeBody(body, qemuSpec, emptyScope());
  expect(decoded.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  const { ctx } = fakeContext(dir, createHost({ leaseDir: join(dir, 'leases') }));
  const context = { ...ctx, step: 'qemu.web', lock, mode } as PinContext;
  return { pinned: pinQemu(decoded.options as unknown as QemuSourceOptions, context), context };
}
const remote = (checksum: string): string => `iso_url = "${url}/disk.qcow2"\niso_checksum = "${checksum}"`;

describe('a download', () => {
  test('is kept by its checksum, locked, and fetched once', async () => {
    const { pinned, context } = pin(remote(`sha256:${HEX}`));
    const { options, lockKey, hashed } = await pinned;
    expect(lockKey).toBe('qemu.web');
    expect(lock.entries).toEqual({ 'qemu.web': { kind: 'file', sha256: HEX, size: IMAGE.length } });
    expect(JSON.stringify(hashed)).not.toContain(url);
    expect(readFileSync(await imageFile(options.pinned as never, context))).toEqual(IMAGE);
    await pin(remote(`sha256:${HEX}`)).pinned;
    expect(asked).toEqual(['/disk.qcow2']);
  });

  test('goes on where it broke', async () => {
    breakAfter = 100_000;
    await expect(pin(remote(`sha256:${HEX}`)).pinned).rejects.toMatchObject({ code: 'qemu/download-failed' });
    const { length } = kept();
    expect(kept()).toEqual(IMAGE.subarray(0, length));
    await pin(remote(`sha256:${HEX}`)).pinned;
    expect(asked).toEqual(['/disk.qcow2', `/disk.qcow2 bytes=${length}-`]);
    expect(readdirSync(join(dir, 'downloads'))).toEqual([`sha256-${HEX}`]);
  });

  test('that another process was killed in is gone on with', async () => {
    breakAfter = 100_000;
    await expect(pin(remote(`sha256:${HEX}`)).pinned).rejects.toThrow();
    const { length } = kept();
    const [folder] = readdirSync(join(dir, 'downloads')) as [string];
    const part = join(dir, 'downloads', folder);
    renameSync(join(part, 'kept'), join(part, (await claimName()).replace(/^\d+/, '4194305')));
    await pin(remote(`sha256:${HEX}`)).pinned;
    expect(asked).toEqual(['/disk.qcow2', `/disk.qcow2 bytes=${length}-`]);
    expect(readdirSync(join(dir, 'downloads'))).toEqual([`sha256-${HEX}`]);
  });

  test('for two builds at once is one', async () => {
    await Promise.all([pin(remote(`sha256:${HEX}`)).pinned, pin(remote(`sha256:${HEX}`)).pinned]);
    expect(asked).toEqual(['/disk.qcow2']);
  });

  test('beside that of another process leaves it alone', async () => {
    breakAfter = 100_000;
    await expect(pin(remote(`sha256:${HEX}`)).pinned).rejects.toThrow();
    const [folder] = readdirSync(join(dir, 'downloads')) as [string];
    const part = join(dir, 'downloads', folder);
    const others = join(part, await claimName());
    renameSync(join(part, 'kept'), others);
    await pin(remote(`sha256:${HEX}`)).pinned;
    expect(asked).toEqual(['/disk.qcow2', '/disk.qcow2']);
    expect(readFileSync(others).length).toBeGreaterThan(0);
  });

  test('of something else is thrown away', async () => {
    const { pinned } = pin(remote(`sha256:${'0'.repeat(64)}`));
    await expect(pinned).rejects.toMatchObject({ code: 'qemu/checksum-mismatch' });
    expect(readdirSync(join(dir, 'downloads'))).toEqual([]);
    expect(lock.entries).toEqual({});
  });

  test('without a checksum is taken once; later builds insist on it', async () => {
    await pin(remote('none')).pinned;
    expect(lock.entries['qemu.web']).toMatchObject({ sha256: HEX });
    rmSync(join(dir, 'downloads'), { recursive: true });
    files.set('/disk.qcow2', Buffer.from('another'));
    const { pinned, context } = pin(remote('none'));
    await expect(imageFile((await pinned).options.pinned as never, context)).rejects.toMatchObject({
      code: 'qemu/checksum-mismatch',
    });
  });

  test('that is not locked is refused under --locked; a second place is tried', async () => {
    await expect(pin(remote('none'), 'locked').pinned).rejects.toMatchObject({ code: 'qemu/not-locked' });
    const two = `iso_urls = ["${url}/absent.qcow2", "${url}/disk.qcow2"]\niso_checksum = "${HEX}"`;
    expect((await pin(two).pinned).lockKey).toBe('qemu.web');
  });
});

describe('a list of checksums', () => {
  test('names the image', async () => {
    files.set('/SUMS', Buffer.from(`${HEX}  disk.qcow2\n`));
    await pin(remote(`file:${url}/SUMS`)).pinned;
    expect(lock.entries['qemu.web']).toMatchObject({ sha256: HEX });
  });

  test.each([
    ['another image', `${HEX}  other.qcow2\n${HEX}  more.qcow2\n`, 'qemu/bad-checksum'],
    ['another checksum', `${'0'.repeat(64)}  disk.qcow2\n`, 'qemu/checksum-mismatch'],
  ])('%s', async (_what, list, code) => {
    files.set('/SUMS', Buffer.from(list));
    await expect(pin(remote(`file:${url}/SUMS`)).pinned).rejects.toMatchObject({ code });
  });

  test('is signed by a key of the keyring, or not used', async () => {
    const home = join(dir, 'gpg');
    const env = { ...process.env, GNUPGHOME: home };
    execFileSync('mkdir', ['-m', '700', home]);
    const gpg = (...args: string[]): Buffer =>
      execFileSync(
        'gpg',
        ['--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', '', ...args],
        {
          env,
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      );
    gpg('--quick-generate-key', 'publisher@example.org', 'ed25519', 'sign', 'never');
    writeFileSync(join(dir, 'keyring.gpg'), gpg('--export'));
    writeFileSync(join(dir, 'SUMS'), `${HEX}  disk.qcow2\n`);
    gpg('--output', join(dir, 'SUMS.sign'), '--detach-sign', join(dir, 'SUMS'));
    execFileSync('gpgconf', ['--kill', 'all'], { env });
    const demand = `${remote('file:SUMS')}\niso_checksum_signature = "SUMS.sign"\niso_checksum_keyring = "keyring.gpg"`;
    await pin(demand).pinned;
    lock = { version: 1, entries: {} };
    writeFileSync(join(dir, 'SUMS'), `${HEX}  disk.qcow2\n${HEX}  more\n`);
    await expect(pin(demand).pinned).rejects.toMatchObject({
      code: 'qemu/bad-signature',
      message: expect.stringContaining('does not fit its content') as unknown,
    });
  });
});

test('a file beside the template is no entry of the lock: its content counts', async () => {
  writeFileSync(join(dir, 'base.raw'), 'one');
  const local = 'iso_url = "base.raw"\niso_checksum = "none"';
  const first = await pin(local).pinned;
  writeFileSync(join(dir, 'base.raw'), 'other');
  expect((await pin(local).pinned).hashed).not.toEqual(first.hashed);
  expect(lock.entries).toEqual({});
});
