import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Machine } from '../../../src/core/machine.ts';
import { connectHost } from '../../../src/machines/ssh-host.ts';
import { type SshOptions, sshSettingsOf } from '../../../src/machines/ssh/settings-of.ts';
import { fakeContext } from '../../provisioners/fake-machine.ts';
import { newKey, startServer, type TestServer } from './server.ts';

let dir: string;
let server: TestServer;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-ssh-'));
  server = await startServer();
  writeFileSync(join(dir, 'key'), server.key, { mode: 0o600 });
  writeFileSync(join(dir, 'other'), newKey().private, { mode: 0o600 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

const OPTIONS: SshOptions = {
  ssh_username: 'tester',
  ssh_timeout: 10_000,
  ssh_handshake_attempts: 1,
  ssh_bastion_port: 22,
};

async function login(o: Partial<SshOptions>, port = server.port): Promise<Machine> {
  const { ctx } = fakeContext(dir);
  const settings = await sshSettingsOf({ ...OPTIONS, ...o }, undefined, { templateDir: dir });
  return connectHost(
    { ...settings, host: '127.0.0.1', port },
    { generated: new Map(), artifact: { builderId: 'x', id: 'x', files: [], description: 'x' } },
    { ...ctx, signal: new AbortController().signal, epoch: 1 },
  );
}

describe('a host is reached', () => {
  test.each([
    ['by password', { ssh_password: 'right' }],
    ['by key', { ssh_private_key_file: 'key' }],
  ])('%s', async (_how, options) => {
    await using m = await login(options);
    const result = await m.communicator.exec(['sh', '-c', 'echo "$A $SOURCE_DATE_EPOCH"; exit 3'], {
      env: { A: "it's" },
    });
    expect(result).toEqual({ exitCode: 3, stdout: "it's 1\n", stderr: '' });
    await m.communicator.uploadBytes('text', join(dir, 'uploaded'), { mode: 0o600 });
    expect(readFileSync(join(dir, 'uploaded'), 'utf8')).toBe('text');
    expect([...m.generated]).toContainEqual(['User', 'tester']);
  });

  test('and left for a look, it runs on', async () => {
    const m = await login({ ssh_password: 'right' });
    await m.communicator.exec(['true']);
    expect(await m.leave?.()).toEqual({
      look: `ssh -p ${server.port} tester@127.0.0.1`,
      fate: expect.stringContaining('not ours') as string,
    });
    await using through = await login({
      ssh_password: 'right',
      ssh_bastion_host: 'b',
      ssh_bastion_username: 'me',
    });
    expect((await through.leave?.())?.look).toBe(`ssh -J me@b:22 -p ${server.port} tester@127.0.0.1`);
  });

  test('through a bastion', async () => {
    const before = server.forwards;
    await using m = await login({
      ssh_private_key_file: 'key',
      ssh_bastion_host: '127.0.0.1',
      ssh_bastion_port: server.port,
      ssh_bastion_username: 'tester',
      ssh_bastion_password: 'right',
    });
    expect((await m.communicator.exec(['true'])).exitCode).toBe(0);
    expect(server.forwards).toBe(before + 1);
  });

  test('again after its connection broke', async () => {
    await using m = await login({ ssh_password: 'right' });
    const command = m.communicator.exec(['sh', '-c', 'echo begun; sleep 60'], {
      onLine: () => server.drop(),
    });
    await expect(command).rejects.toMatchObject({ code: 'machine/disconnected' });
    expect((await m.communicator.exec(['echo', 'back'])).stdout).toBe('back\n');
  });
});

describe('a host is not reached', () => {
  test.each([
    ['with a wrong password', { ssh_password: 'wrong' }, /does not let tester in.*a password/],
    ['with a wrong key', { ssh_private_key_file: 'other' }, /does not let tester in.*a private key/],
    ['with nothing', {}, /offered nothing/],
  ])('%s', async (_how, options, message) => {
    await using m = await login(options);
    const command = m.communicator.exec(['true']);
    await expect(command).rejects.toMatchObject({ code: 'ssh/login-refused' });
    await expect(m.communicator.exec(['true'])).rejects.toThrow(message);
  });

  test('where nobody listens', async () => {
    await using m = await login({ ssh_password: 'right', ssh_timeout: 700 }, 1);
    await expect(m.communicator.exec(['true'])).rejects.toMatchObject({
      code: 'ssh/unreachable',
      message: expect.stringMatching(/127\.0\.0\.1:1 within 1 s: .*ECONNREFUSED/) as unknown,
    });
  });

  test('with a key that is none', async () => {
    writeFileSync(join(dir, 'bad'), 'no key');
    await using m = await login({ ssh_private_key_file: 'bad' });
    await expect(m.communicator.exec(['true'])).rejects.toMatchObject({ code: 'ssh/bad-key' });
    await expect(login({ ssh_private_key_file: 'absent' })).rejects.toMatchObject({ code: 'ssh/bad-key' });
  });
});
