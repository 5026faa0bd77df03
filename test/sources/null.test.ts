import { describe, expect, test } from 'vitest';
import { nullSource } from '../../src/sources/null.ts';
import { fakeContext } from '../provisioners/fake-machine.ts';
import { optionsOf } from '../provisioners/options.ts';

test('makes nothing, and has no machine to run in', async () => {
  const options = await optionsOf(nullSource, 'communicator = "none"');
  const { ctx } = fakeContext('/');
  expect(await nullSource.pin(options, ctx as never)).toEqual({ options });
  await using machine = await nullSource.start(options, undefined, ctx);
  expect(machine.generated.get('ID')).toBe('Null');
  await expect(machine.communicator.exec(['true'])).rejects.toMatchObject({ code: 'machine/none' });
  await expect(machine.communicator.upload('/a', '/b')).rejects.toMatchObject({ code: 'machine/none' });
  expect(await machine.finish()).toMatchObject({ builderId: 'packer.null', files: [] });
});

describe('a communicator', () => {
  test.each([
    ['', 'ssh_host'],
    ['ssh_host = "a"', 'ssh_username'],
    ['communicator = "winrm"\nwinrm_host = "a"', 'winrm_username'],
    ['communicator = "telnet"', 'telnet'],
  ])('%j is not enough', async (hcl, message) => {
    await expect(optionsOf(nullSource, hcl)).rejects.toThrow(message);
  });

  test.each([
    ['communicator = "winrm"\nwinrm_host = "a"\nwinrm_username = "root"', 'winrm'],
    ['ssh_host = "a"\nssh_username = "root"\nssh_proxy_host = "b"', 'ssh_proxy_host'],
    ['ssh_host = "a"\nssh_username = "root"\nssh_local_tunnels = ["1:a:2"]', 'ssh_local_tunnels'],
  ])('%j is refused by name when it is to be built', async (hcl, word) => {
    const options = await optionsOf(nullSource, hcl);
    await expect(nullSource.pin(options, fakeContext('/').ctx as never)).rejects.toMatchObject({
      code: 'source/no-communicator',
      message: expect.stringContaining(word) as unknown,
    });
  });

  test('by ssh is a machine that is there', async () => {
    const options = await optionsOf(nullSource, 'ssh_host = "h"\nssh_username = "u"\nssh_port = 2222');
    const { ctx } = fakeContext('/');
    expect(await nullSource.pin(options, ctx as never)).toEqual({ options });
    await using machine = await nullSource.start(options, undefined, ctx);
    expect(machine.kind).toBe('ssh');
    expect(Object.fromEntries(machine.generated)).toEqual({ Host: 'h', Port: 2222, User: 'u', ID: 'Null' });
  });
});
