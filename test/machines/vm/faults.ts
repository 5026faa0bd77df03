import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Context } from '../../../src/core/context.ts';
import type { Machine } from '../../../src/core/machine.ts';
import type { Vm, VmOptions } from '../../../src/machines/vm.ts';
import { SmallDisk } from '../../e2e/small-disk.ts';

/** Starts a machine on a memory that was kept, which takes no boot. */
export type Resume = (own?: Partial<VmOptions>, ctx?: Partial<Context>) => Promise<Vm>;

interface Place {
  /** Folder of the tests. */
  readonly dir: string;
  /** What the machines' settings are. */
  readonly ssh: Exclude<VmOptions['ssh'], 'none'>;
  readonly hardware: VmOptions['hardware'];
  readonly notes: readonly string[];
}

const sh = async (m: Machine, script: string): Promise<string> =>
  (await m.communicator.exec(['sh', '-c', script])).stdout;

/** What goes wrong with a machine that runs: each is told by its reason. */
export function describeFaults(resumed: Resume, place: () => Place): void {
  afterEach(() => expect(place().notes).toContain('the machine goes on from its kept memory: no boot'));

  test('it does not let in another key', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    // A disk in the place of the seed, which brings the key: on other hardware it could not go on.
    const { dir, ssh, hardware } = place();
    const disk = { path: join(dir, 'no-seed'), format: 'raw' as const, readOnly: true };
    writeFileSync(disk.path, Buffer.alloc(2 ** 20));
    const started = resumed({
      seedUser: undefined,
      hardware: { ...hardware, extraDisks: [disk] },
      ssh: { ...ssh, privateKeys: [privateKey], handshakeAttempts: 2 },
    }).then(async (m) => {
      await using _ = m;
      await sh(m, 'true');
    });
    await expect(started).rejects.toMatchObject({
      code: 'ssh/login-refused',
      message: 'the machine does not let root in; it was offered a private key',
      hint: expect.stringContaining('PermitRootLogin') as string,
    });
  });

  test('its SSH server ends: the last lines of its console, and likely reasons', async () => {
    await using m = await resumed({ ssh: { ...place().ssh, timeoutMs: 15_000 } });
    await sh(m, 'echo told by the console > /dev/ttyS0');
    // A masked unit has lost its KillMode=process: the sessions may end with it.
    const severed = sh(m, 'systemctl mask --now ssh.service ssh.socket; pkill -KILL sshd; sleep 100');
    await expect(severed).rejects.toMatchObject({ code: 'machine/disconnected' });
    await expect(sh(m, 'true')).rejects.toMatchObject({
      code: 'ssh/unreachable',
      message: expect.stringMatching(/^no SSH server answered at 127\.0\.0\.1:\d+ within 15 s/) as string,
      hint: expect.stringContaining('Is an SSH server installed and started') as string,
      output: expect.arrayContaining(['told by the console']) as string[],
    });
  });

  test('its disk is full', async () => {
    await using m = await resumed();
    // What is kept for root goes, too.
    const fill =
      'for s in 1G 100M 10M 1M; do while fallocate --length $s /var/tmp/$s.$((i += 1)); do :; done; done';
    await sh(m, `i=0; ${fill}`);
    const { exitCode, stderr } = await m.communicator.exec(['sh', '-c', 'head -c 9M /dev/zero > /srv/big']);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('No space left on device')]);
    const upload = m.communicator.uploadBytes(Buffer.alloc(9_000_000), '/srv/uploaded');
    await expect(upload).rejects.toMatchObject({
      code: 'machine/transfer-failed',
      output: expect.arrayContaining([expect.stringContaining('No space left on device')]) as string[],
    });
  });

  test('the disk of the host is full: told at once, and it is gone', async () => {
    using small = new SmallDisk(join(place().dir, 'small'), '48m');
    await using m = await resumed({}, { workDir: small.dir });
    await expect(sh(m, 'head -c 200M /dev/urandom > /srv/big; sync; sleep 500')).rejects.toMatchObject({
      code: 'host/no-space',
      message: expect.stringContaining(small.dir) as string,
    });
    await expect(sh(m, 'true')).rejects.toMatchObject({ code: 'host/no-space' });
  });
}
