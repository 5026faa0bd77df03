import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StepResult } from '../../src/core/plugin.ts';
import { saltMasterlessProvisioner } from '../../src/provisioners/salt-masterless.ts';
import { fakeContext, fakeMachine } from './fake-machine.ts';
import { type Bench, openBench } from './local-machine.ts';
import { optionsOf } from './options.ts';

/** Stands for salt-call: says how it was called, and ends as `code` says. */
const STUB = `#!/bin/sh
echo "called $*"
printf 'Succeeded: 2 (changed=1)\\nFailed:    0\\n'
exit "$(cat "$0.code")"
`;

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
  make('bin/salt-call', STUB, 0o755);
  make('bin/salt-call.code', '0');
  make('states/top.sls', 'top');
  make('states/.git/HEAD', 'x');
});
afterEach(() => bench[Symbol.asyncDispose]());

function make(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(join(bench.dir, path)), { recursive: true });
  writeFileSync(join(bench.dir, path), text, { mode });
}

async function provision(hcl: string): Promise<StepResult> {
  const places = `
    local_state_tree    = "states"
    temp_config_dir     = "${bench.root}/temp"
    salt_bin_dir        = "${bench.dir}/bin"
  `;
  const options = await optionsOf(saltMasterlessProvisioner, places + hcl);
  return await saltMasterlessProvisioner.provision(bench.machine, options, bench.ctx);
}
const remote = (path: string): string => join(bench.root, path);
const roots = (): string =>
  `remote_state_tree = "${remote('srv/salt')}"\nremote_pillar_roots = "${remote('srv/pillar')}"\n`;

test('states and pillars go to their places, anew, and the highstate is applied', async () => {
  make('pillar/top.sls', 'pillar');
  make('root/srv/salt/old.sls', 'old');
  const { summary, data } = await provision(`${roots()}local_pillar_roots = "pillar"`);
  expect(readFileSync(remote('srv/salt/top.sls'), 'utf8')).toBe('top');
  expect(readFileSync(remote('srv/pillar/top.sls'), 'utf8')).toBe('pillar');
  expect(existsSync(remote('srv/salt/old.sls'))).toBe(false);
  expect(existsSync(remote('temp'))).toBe(false);
  expect(bench.lines[0]).toBe(
    `stdout: called --local state.highstate --file-root=${remote('srv/salt')} --pillar-root=${remote('srv/pillar')} --retcode-passthrough -l info`,
  );
  expect(summary).toBe('succeeded 2, changed 1, failed 0');
  expect(data).toEqual({ succeeded: 2, changed: 1, failed: 0 });
});

test('a state of its own, a level, more arguments, failures that do not matter', async () => {
  make('bin/salt-call.code', '2');
  await provision(
    `${roots()}custom_state = "web"\nlog_level = "debug"\nsalt_call_args = "--id='a b'"\nno_exit_on_failure = true`,
  );
  expect(bench.lines[0]).toMatch(/called --local state\.sls web .*\/srv\/pillar -l debug --id=a b$/);
});

test('another user than root is given sudo; configuration and grains go to /etc/salt', async () => {
  const { machine, calls } = fakeMachine();
  make('minion', 'm');
  make('grains', 'g');
  const hcl = 'local_state_tree = "states"\nminion_config = "minion"\ngrains_file = "grains"\n';
  const asked = async (user: string, more = ''): Promise<string[]> => {
    calls.length = 0;
    await saltMasterlessProvisioner.provision(
      { ...machine, generated: new Map([['User', user]]) },
      await optionsOf(saltMasterlessProvisioner, hcl + more),
      fakeContext(bench.dir).ctx,
    );
    return calls
      .filter((call) => /mv |--local/.test(call))
      .map((call) => call.replace('exec /bin/sh -c ', ''));
  };
  expect(await asked('debian')).toEqual([
    "sudo mv -f '/tmp/salt/minion' /etc/salt/minion",
    "sudo mv -f '/tmp/salt/grains' /etc/salt/grains",
    "sudo mv '/tmp/salt/states' '/srv/salt'",
    "sudo 'salt-call' --local state.highstate --retcode-passthrough -l 'info'",
  ]);
  expect((await asked('root'))[2]).toBe("mv '/tmp/salt/states' '/srv/salt'");
  expect((await asked('debian', 'disable_sudo = true'))[2]).toBe("mv '/tmp/salt/states' '/srv/salt'");
  expect(calls).toContain(`upload-folder ${bench.dir}/states/ /tmp/salt/states`);
});

describe('failures', () => {
  test('a state that failed is named', async () => {
    make(
      'bin/salt-call',
      `#!/bin/sh\nprintf '          ID: web\\n      Result: False\\n     Comment: no such package\\n'\nexit 2\n`,
      0o755,
    );
    await expect(provision(roots())).rejects.toMatchObject({
      code: 'provisioner/states-failed',
      message: 'salt-call ended with exit code 2: state "web": no such package',
    });
  });

  test('Salt that is not there', async () => {
    const options = await optionsOf(
      saltMasterlessProvisioner,
      'local_state_tree = "states"\nsalt_bin_dir = "/no/such"',
    );
    await expect(
      saltMasterlessProvisioner.provision(bench.machine, options, bench.ctx),
    ).rejects.toMatchObject({
      code: 'provisioner/salt-missing',
      message: '/no/such/salt-call was not found in the machine',
    });
  });

  test('a folder that cannot be made', async () => {
    await expect(provision(roots().replace(/"\S+srv\/salt"/, '"/dev/null/x"'))).rejects.toMatchObject({
      code: 'provisioner/no-staging',
    });
  });
});

test('what the digest covers, without what git keeps', async () => {
  const options = await optionsOf(
    saltMasterlessProvisioner,
    'local_state_tree = "states"\nlocal_pillar_roots = "gone"\ngrains_file = "grains"',
  );
  expect(saltMasterlessProvisioner.files?.(options, bench.dir)).toEqual(['states/top.sls', 'gone', 'grains']);
});

test.each([
  ['bootstrap_args = "-x"', 'which nothing verifies'],
  ['formulas = ["git::https://x//y"]', 'no digest knows'],
  ['guest_os_type = "windows"', 'WinRM'],
  ['minion_config = "m"\nremote_state_tree = "/x"', 'do not go with it'],
])('%s is refused', async (hcl, message) => {
  await expect(optionsOf(saltMasterlessProvisioner, `local_state_tree = "s"\n${hcl}`)).rejects.toThrow(
    message,
  );
});
