import { expect, test } from 'vitest';
import { breakpointProvisioner } from '../../src/provisioners/breakpoint.ts';
import { fakeContext, fakeMachine } from './fake-machine.ts';
import { optionsOf } from './options.ts';

const run = async (hcl: string) =>
  await breakpointProvisioner.provision(
    fakeMachine().machine,
    await optionsOf(breakpointProvisioner, hcl),
    fakeContext('/').ctx,
  );

test('does not stop when disabled, or without a terminal', async () => {
  expect((await run('disable = true')).summary).toBe('disabled');
  if (!process.stdin.isTTY) expect((await run('note = "look"')).summary).toContain('no terminal');
});
