import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StepResult } from '../../src/core/plugin.ts';
import { ansibleLocalProvisioner } from '../../src/provisioners/ansible-local.ts';
import { localInventory } from '../../src/provisioners/ansible-local/stage.ts';
import { fakeContext, fakeMachine } from './fake-machine.ts';
import { type Bench, openBench } from './local-machine.ts';
import { optionsOf } from './options.ts';

/** Stands for ansible-playbook: says how it was called, and writes the events of `events` beside it. */
const STUB = `#!/bin/sh
echo "TASK [one] ***"
echo "$PWD $*"
[ ! -f "$0.events" ] || cat "$0.events" >"$INGOT_ANSIBLE_EVENTS"
exit "$(cat "$0.code")"
`;

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
  make('ansible-stub', STUB, 0o755);
  make('ansible-stub.code', '0');
  make('site.yml', '');
});
afterEach(() => bench[Symbol.asyncDispose]());

function make(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(join(bench.dir, path)), { recursive: true });
  writeFileSync(join(bench.dir, path), text, { mode });
}

function tell(...events: object[]): void {
  make('ansible-stub.events', events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

async function provision(hcl: string): Promise<StepResult> {
  const own = `staging_directory = "${bench.root}/staging"\ncommand = "${bench.dir}/ansible-stub"\n`;
  return await ansibleLocalProvisioner.provision(
    bench.machine,
    await optionsOf(ansibleLocalProvisioner, own + hcl),
    bench.ctx,
  );
}
const staged = (path: string): string => join(bench.root, 'staging', path);

const play = { event: 'play', name: 'p' };
const changed = { event: 'result', status: 'ok', changed: true, host: '127.0.0.1', task: 't', path: '' };

test('everything is where the playbook expects it, and the command as Packer has it', async () => {
  for (const path of ['roles/web/tasks/main.yml', 'gv/all.yml', 'hv/a.yml', 'col/ns/x', 'more/p.yml'])
    make(path, path);
  make('whole/deep/file', 'deep');
  tell(play, changed);
  const { summary } = await provision(`
    playbook_file    = "site.yml"
    playbook_dir     = "whole"
    role_paths       = ["roles/web/"]
    collection_paths = ["col"]
    playbook_paths   = ["more"]
    group_vars       = "gv"
    host_vars        = "hv"
    inventory_groups = ["a,b"]
    extra_arguments  = ["-e", "'x=y z'"]
  `);
  for (const [path, text] of [
    ['deep/file', 'deep'],
    ['roles/web/tasks/main.yml', 'roles/web/tasks/main.yml'],
    ['collections/col/ns/x', 'col/ns/x'],
    ['playbooks/more/p.yml', 'more/p.yml'],
    ['group_vars/all.yml', 'gv/all.yml'],
    ['host_vars/a.yml', 'hv/a.yml'],
    ['packer-provisioner-ansible-local', '[a]\n127.0.0.1\n[b]\n127.0.0.1\n'],
  ] as const)
    expect(readFileSync(staged(path), 'utf8')).toBe(text);
  const inventory = staged('packer-provisioner-ansible-local');
  expect(bench.lines).toEqual([
    'stdout: TASK [one] ***',
    `stdout: ${join(bench.root, 'staging')} ${staged('site.yml')} --extra-vars packer_build_name=web packer_builder_type=container -e x=y z -c local -i ${inventory}`,
  ]);
  expect(summary).toBe('ok 1, changed 1, failed 0');
  expect(existsSync(staged('.ingot'))).toBe(false);
});

test('several playbooks: those of playbook_dir are there, others come to where they lie', async () => {
  make('whole/a.yml', '');
  make('sub/b.yml', 'b');
  await provision('playbook_files = ["whole/a.yml", "sub/b.yml"]\nplaybook_dir = "whole"');
  expect(bench.lines.filter((l) => l.includes('--extra-vars')).map((l) => l.split(' ')[2])).toEqual([
    staged('a.yml'),
    staged('sub/b.yml'),
  ]);
  expect(readFileSync(staged('sub/b.yml'), 'utf8')).toBe('b');
});

test('clean_staging_directory leaves nothing, also after a failure', async () => {
  make('ansible-stub.code', '2');
  await expect(provision('playbook_file = "site.yml"\nclean_staging_directory = true')).rejects.toThrow();
  expect(existsSync(staged(''))).toBe(false);
});

test('galaxy installs in the machine, before', async () => {
  make('requirements.yml', 'roles:\n- a\ncollections:\n- b.c\n');
  const hcl = `playbook_file = "site.yml"\ngalaxy_file = "requirements.yml"\ngalaxy_command = "${bench.dir}/ansible-stub"`;
  await provision(hcl);
  const calls = bench.lines.filter((l) => l.includes(' install '));
  expect(calls.map((l) => l.split(' ').slice(2).join(' '))).toEqual([
    `role install -r ${staged('requirements.yml')} -p ${staged('roles')}`,
    `collection install -r ${staged('requirements.yml')} -p ${staged('collections')}`,
  ]);
  make('ansible-stub.code', '1');
  await expect(provision(hcl)).rejects.toMatchObject({ code: 'provisioner/galaxy-failed' });
});

describe('failures', () => {
  test('the task is named, its file as below the staging folder', async () => {
    make('ansible-stub.code', '2');
    const path = staged('site.yml:3');
    tell(play, { ...changed, status: 'failed', message: 'why', path });
    await expect(provision('playbook_file = "site.yml"')).rejects.toMatchObject({
      code: 'provisioner/playbook-failed',
      message: 'the playbook site.yml ended with exit code 2: task "t" on 127.0.0.1 (site.yml:3): why',
    });
  });

  test('an image without Ansible', async () => {
    const hcl = `playbook_file = "site.yml"\nstaging_directory = "${bench.root}/s"\ncommand = "no-ansible"`;
    const options = await optionsOf(ansibleLocalProvisioner, hcl);
    await expect(ansibleLocalProvisioner.provision(bench.machine, options, bench.ctx)).rejects.toMatchObject({
      code: 'provisioner/ansible-missing',
      message: 'no-ansible was not found in the machine',
    });
  });

  test('a staging folder that cannot be', async () => {
    const hcl = 'playbook_file = "site.yml"\nstaging_directory = "/dev/null/x"';
    const options = await optionsOf(ansibleLocalProvisioner, hcl);
    await expect(ansibleLocalProvisioner.provision(bench.machine, options, bench.ctx)).rejects.toMatchObject({
      code: 'provisioner/no-staging',
    });
  });

  test('idempotence: a change in the second run, and a command that tells nothing', async () => {
    await expect(provision('playbook_file = "site.yml"\nidempotence = true')).rejects.toMatchObject({
      code: 'provisioner/no-ansible-report',
    });
    tell(play, changed);
    await expect(provision('playbook_file = "site.yml"\nidempotence = true')).rejects.toMatchObject({
      code: 'provisioner/not-idempotent',
      message: 'the second run of site.yml changed 1; expected nothing to change: task "t" on 127.0.0.1',
    });
  });
});

test('the staging folder of ours is empty at first, and its name is the same in each build', async () => {
  const { machine, calls } = fakeMachine();
  const options = await optionsOf(ansibleLocalProvisioner, 'playbook_file = "site.yml"');
  await ansibleLocalProvisioner.provision(machine, options, fakeContext(bench.dir).ctx).catch(() => {});
  expect(calls.slice(0, 2)).toEqual([
    'exec rm -rf -- /tmp/packer-provisioner-ansible-local/staging',
    'exec mkdir -p -- /tmp/packer-provisioner-ansible-local/staging',
  ]);
});

test('what the digest covers', async () => {
  const options = await optionsOf(
    ansibleLocalProvisioner,
    'playbook_files = ["a.yml", "d/b.yml"]\nplaybook_dir = "d"\nrole_paths = ["r"]\ngalaxy_file = "g"',
  );
  expect(ansibleLocalProvisioner.files?.(options, bench.dir)).toEqual(['a.yml', 'd', 'g', 'r']);
});

test.each([
  ['', 'got none'],
  ['playbook_file = "a"\nplaybook_files = ["b"]', 'got more'],
  ['playbook_file = "a"\ninventory_groups = ["a b"]', 'is no name for an inventory'],
])('a wrong body is reported: %j', async (hcl, message) => {
  await expect(optionsOf(ansibleLocalProvisioner, hcl)).rejects.toThrow(message);
});

test('an inventory without groups', () => expect(localInventory([])).toBe('127.0.0.1\n'));
