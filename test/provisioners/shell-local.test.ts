import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createHost } from '../../src/host/index.ts';
import { shellLocalProvisioner } from '../../src/provisioners/shell-local.ts';
import { fakeContext, fakeMachine } from './fake-machine.ts';
import { optionsOf } from './options.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-shell-local-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function run(hcl: string) {
  const { ctx, events } = fakeContext(dir, createHost({ leaseDir: join(dir, 'leases') }));
  const { machine } = fakeMachine();
  const result = await shellLocalProvisioner.provision(
    machine,
    await optionsOf(shellLocalProvisioner, hcl),
    ctx,
  );
  return { result, events };
}

test('runs on this machine, in the folder of the template, with the variables', async () => {
  const { events } = await run(
    'inline = ["echo \\"$A $PACKER_BUILD_NAME\\" > made", "cat made"]\nenvironment_vars = ["A=b c"]',
  );
  expect(readFileSync(join(dir, 'made'), 'utf8')).toBe('b c web\n');
  expect(events).toContainEqual({ type: 'step:log', step: 'web/step[0]', stream: 'stdout', line: 'b c web' });
});

test('a failure ends the build; other codes may be valid', async () => {
  await expect(run('command = "exit 4"')).rejects.toMatchObject({ code: 'provisioner/script-failed' });
  await run('command = "exit 4"\nvalid_exit_codes = [4]');
});

test('only_on leaves it out elsewhere', async () => {
  const { result } = await run('command = "false"\nonly_on = ["windows"]');
  expect(result.summary).toContain('left out');
});

test.each([
  ['', /exactly one of command, inline, script and scripts/],
  ['command = "a"\nenv = { "a-b" = "c" }', /is no NAME=value/],
])('%j is refused', async (hcl, message) => {
  await expect(optionsOf(shellLocalProvisioner, hcl)).rejects.toThrow(message);
});
