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

  test('that connects is refused by name when it is to be built', async () => {
    const options = await optionsOf(nullSource, 'ssh_host = "a"\nssh_username = "root"');
    await expect(nullSource.pin(options, fakeContext('/').ctx as never)).rejects.toMatchObject({
      code: 'source/no-communicator',
      message: expect.stringContaining('ssh') as unknown,
    });
  });
});
