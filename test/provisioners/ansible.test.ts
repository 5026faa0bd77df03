import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BuildEvent } from '../../src/core/event.ts';
import type { StepResult } from '../../src/core/plugin.ts';
import { noMachine } from '../../src/machines/no-machine.ts';
import { ansibleProvisioner } from '../../src/provisioners/ansible.ts';
import { decodeBody, emptyScope, parseHcl } from '../../src/template/index.ts';
import { type Bench, openBench } from './local-machine.ts';
import { optionsOf } from './options.ts';

/** Stands for ansible-playbook: writes down how it was called, tells the events of `run-N.json`, and ends so. */
const STUB = `#!${process.execPath}
const fs = require('node:fs');
const args = process.argv.slice(2);
if (args.includes('--version')) { console.log('ansible-playbook [core 9.9.9]'); process.exit(0); }
const n = fs.existsSync('calls.json') ? 1 : 0;
const inventory = args.includes('-i') ? fs.readFileSync(args[args.indexOf('-i') + 1], 'utf8') : '';
fs.writeFileSync(n ? 'calls-2.json' : 'calls.json', JSON.stringify({ args, env: process.env, inventory }));
const { events, exitCode, stdout } = JSON.parse(fs.readFileSync('run-' + n + '.json', 'utf8'));
console.log(stdout ?? 'PLAY');
if (!events) process.exit(exitCode);
const socket = require('node:net').connect(process.env.INGOT_ANSIBLE_SOCKET);
socket.end('{"op": "events"}\\n' + events.map((e) => JSON.stringify(e) + '\\n').join(''));
socket.on('close', () => process.exit(exitCode));
`;

let bench: Bench;
let seen: BuildEvent[];
beforeEach(async () => {
  bench = await openBench();
  seen = [];
  writeFileSync(join(bench.dir, 'playbook'), STUB, { mode: 0o755 });
  writeFileSync(join(bench.dir, 'site.yml'), '');
});
afterEach(() => bench[Symbol.asyncDispose]());

const play = { event: 'play', name: 'web' };
const result = (status: string, changed: boolean, more: object = {}): object => ({
  event: 'result',
  status,
  changed,
  host: 'default',
  task: 'install nginx',
  path: join(bench.dir, 'roles/web/tasks/main.yml:3'),
  ...more,
});

interface Run {
  readonly events?: object[];
  readonly exitCode?: number;
  readonly stdout?: string;
}

async function provision(hcl: string, ...runs: Run[]): Promise<StepResult> {
  for (const [i, run] of runs.entries())
    writeFileSync(join(bench.dir, `run-${i}.json`), JSON.stringify({ exitCode: 0, ...run }));
  const ctx = {
    ...bench.ctx,
    emit: (event: BuildEvent) => {
      seen.push(event);
      bench.ctx.emit(event);
    },
  };
  const options = await optionsOf(
    ansibleProvisioner,
    `playbook_file = "site.yml"\ncommand = "./playbook"\n${hcl}`,
  );
  return await ansibleProvisioner.provision(bench.machine, options, ctx);
}

interface Call {
  readonly args: string[];
  readonly env: Record<string, string>;
  readonly inventory: string;
}
const call = (): Call => JSON.parse(readFileSync(join(bench.dir, 'calls.json'), 'utf8')) as Call;

test('the command gets variables, arguments, inventory and playbook, and tells what it did', async () => {
  const events = [
    play,
    { event: 'task', name: 'install nginx' },
    result('ok', true),
    result('skipped', false),
  ];
  const { summary, data } = await provision(
    'groups = ["web"]\nuser = "admin"\nextra_arguments = ["-e", "a=b c"]',
    { events },
  );
  const { args, inventory } = call();
  expect(args).toEqual([
    '-e',
    'packer_build_name="web"',
    '-e',
    'packer_builder_type=container',
    '-e',
    'a=b c',
    '-i',
    expect.stringMatching(/\/inventory$/),
    join(bench.dir, 'site.yml'),
  ]);
  const line = 'default ansible_host=localhost ansible_user=admin ansible_connection=ingot\n';
  expect(inventory).toBe(`${line}[web]\n${line}`);
  expect(summary).toBe('ok 1, changed 1, failed 0, skipped 1');
  expect(data).toMatchObject({ plays: [{ play: 'web', ok: 1, changed: 1, failed: 0, skipped: 1 }] });
  expect(bench.lines).toEqual(['note: ansible-playbook [core 9.9.9]', 'stdout: PLAY']);
  expect(seen).toContainEqual({
    type: 'step:progress',
    step: 'web/shell[0]',
    done: 1,
    unit: 'items',
    what: 'install nginx',
  });
});

test("the environment is clean, but for Ansible's own variables", async () => {
  process.env.INGOT_TEST_SECRET = 'leak';
  process.env.ANSIBLE_TEST_MINE = 'mine';
  await provision('ansible_env_vars = ["ANSIBLE_NOCOLOR=True", "SITE=x=y"]', {});
  delete process.env.INGOT_TEST_SECRET;
  delete process.env.ANSIBLE_TEST_MINE;
  const { env } = call();
  expect(env.INGOT_TEST_SECRET).toBeUndefined();
  expect(env).toMatchObject({
    ANSIBLE_TEST_MINE: 'mine',
    ANSIBLE_NOCOLOR: 'True',
    SITE: 'x=y',
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
    PATH: process.env.PATH,
    PYTHONDONTWRITEBYTECODE: '1',
  });
  expect(env.ANSIBLE_TRANSPORT).toBeUndefined();
  expect(existsSync(env.INGOT_ANSIBLE_SOCKET as string)).toBe(false);
});

test('our plugins come first, those of the user after them', async () => {
  writeFileSync(
    join(bench.dir, 'ansible.cfg'),
    '[other]\ncallback_plugins = no\n[defaults]\ncallback_plugins = mine:/abs:~/home ; why\n',
  );
  await provision('', {});
  const { env } = call();
  const mine = `${bench.dir}/mine:/abs:~/home`;
  expect(env.ANSIBLE_CALLBACK_PLUGINS).toMatch(new RegExp(`^/tmp/ingot-ansible-[^:]+/callback:${mine}$`));
  expect(env.ANSIBLE_CONNECTION_PLUGINS).toMatch(/^\/tmp\/ingot-ansible-[^:]+\/connection:~\/\.ansible\//);
});

test('an inventory of the user stays as it is, and leads to the machine', async () => {
  writeFileSync(join(bench.dir, 'hosts'), 'web1\n');
  await provision('inventory_file = "hosts"', {});
  expect(call().inventory).toBe('web1\n');
  expect(call().env.ANSIBLE_TRANSPORT).toBe('ingot');
});

test('the variables of inventory_directory are beside the inventory, and nothing is written there', async () => {
  mkdirSync(join(bench.dir, 'inv/group_vars'), { recursive: true });
  writeFileSync(join(bench.dir, 'inv/group_vars/all.yml'), 'a: 1');
  await provision('inventory_directory = "inv"\nkeep_inventory_file = true', {});
  const kept = bench.lines.find((l) => l.includes('is kept'))?.split(': ')[2] as string;
  expect(readFileSync(join(kept, '../group_vars/all.yml'), 'utf8')).toBe('a: 1');
  rmSync(dirname(kept), { recursive: true });
  const options = await optionsOf(
    ansibleProvisioner,
    'playbook_file = "site.yml"\ninventory_directory = "inv"',
  );
  expect(ansibleProvisioner.files?.(options, bench.dir)).toEqual(['inv/group_vars', 'site.yml']);
  // Planning tells that it is not there.
  const misspelt = { ...options, inventory_directory: 'inf' };
  expect(ansibleProvisioner.files?.(misspelt, bench.dir)).toEqual(['inf', 'site.yml']);
});

describe('failures', () => {
  const failed = (message: string): Run => ({
    exitCode: 2,
    events: [play, result('failed', false, { message })],
  });

  test('task, host, place and message are named', async () => {
    await expect(provision('', failed('No package matching nginx'))).rejects.toMatchObject({
      code: 'provisioner/playbook-failed',
      message:
        'the playbook site.yml ended with exit code 2: task "install nginx" on default (roles/web/tasks/main.yml:3): No package matching nginx',
      output: ['PLAY'],
    });
  });

  test('a missing sudo has a hint of its own', async () => {
    await expect(provision('', failed('/bin/sh: 1: sudo: not found'))).rejects.toMatchObject({
      hint: 'The image has no sudo: install it before, or set become_method = su.',
    });
  });

  test('a missing python has, too', async () => {
    const { communicator } = bench.machine;
    const exec: typeof communicator.exec = async () => ({ exitCode: 127, stdout: '', stderr: '' });
    const machine = { ...bench.machine, communicator: { ...communicator, exec } };
    writeFileSync(join(bench.dir, 'run-0.json'), JSON.stringify(failed('/bin/sh: python: not found')));
    const options = await optionsOf(ansibleProvisioner, 'playbook_file = "site.yml"\ncommand = "./playbook"');
    await expect(ansibleProvisioner.provision(machine, options, bench.ctx)).rejects.toMatchObject({
      hint: expect.stringContaining('The image has no python3'),
    });
  });

  test('where no task failed, Ansible itself has the word', async () => {
    const run = { exitCode: 4, stdout: 'a\nERROR! the role x was not found\nb' };
    await expect(provision('', run)).rejects.toThrow('exit code 4: ERROR! the role x was not found');
  });

  test('a command that is not there', async () => {
    const options = await optionsOf(ansibleProvisioner, 'playbook_file = "site.yml"\ncommand = "no-ansible"');
    await expect(ansibleProvisioner.provision(bench.machine, options, bench.ctx)).rejects.toMatchObject({
      code: 'provisioner/ansible-missing',
      message: 'no-ansible cannot be run on this machine',
    });
  });

  test('Galaxy', async () => {
    writeFileSync(join(bench.dir, 'requirements.yml'), '- src: a\n');
    const hcl = 'galaxy_file = "requirements.yml"\ngalaxy_command = "./playbook"';
    await expect(provision(hcl, { exitCode: 1 })).rejects.toMatchObject({
      code: 'provisioner/galaxy-failed',
    });
    expect(call().args).toEqual(['role', 'install', '-r', 'requirements.yml']);
  });

  test('a machine with Windows, and none', async () => {
    const options = await optionsOf(ansibleProvisioner, 'playbook_file = "site.yml"');
    await expect(
      ansibleProvisioner.provision({ ...bench.machine, os: 'windows' }, options, bench.ctx),
    ).rejects.toMatchObject({ code: 'provisioner/no-windows' });
    await expect(
      ansibleProvisioner.provision(noMachine(new Map(), undefined as never), options, bench.ctx),
    ).rejects.toMatchObject({ code: 'machine/none' });
  });
});

describe('idempotence', () => {
  test('a second run that changes nothing', async () => {
    const { summary, data } = await provision(
      'idempotence = true',
      { events: [play, result('ok', true)] },
      { events: [play, result('ok', false)] },
    );
    expect(summary).toBe('ok 1, changed 1, failed 0; a second run changed nothing');
    expect(data).toMatchObject({ idempotent: true, plays: [{ changed: 1 }] });
    expect(existsSync(join(bench.dir, 'calls-2.json'))).toBe(true);
  });

  test('a second run that changes something', async () => {
    const run = { events: [play, result('ok', true)] };
    await expect(provision('idempotence = true', run, run)).rejects.toMatchObject({
      code: 'provisioner/not-idempotent',
      message:
        'the second run of site.yml changed 1; expected nothing to change: task "install nginx" on default (roles/web/tasks/main.yml:3)',
    });
  });
});

test('files that the digest does not know are told', async () => {
  const loaded = ['/elsewhere/x.yml', join(bench.dir, 'site.yml')];
  await provision('', { events: [{ event: 'stats', loaded }] });
  const told = seen.flatMap((e) => (e.type === 'diagnostic' ? [e.diagnostic] : []));
  expect(told).toMatchObject([{ code: 'provisioner/unhashed-input', severity: 'warning' }]);
  expect(told[0]?.message).toMatch(/^site\.yml also reads (\.\.\/)+elsewhere\/x\.yml: an edit/);
});

describe('options', () => {
  const diagnose = async (hcl: string) => {
    const { body } = parseHcl(`playbook_file = "p"\n${hcl}`, 't.pkr.hcl');
    return decodeBody(body, await ansibleProvisioner.schema(), emptyScope()).diagnostics;
  };

  test.each([
    ['local_port = 2222'],
    ['use_sftp = true'],
    ['sftp_command = "x"'],
    ['ssh_host_key_file = "x"'],
    ['ssh_authorized_key_file = "x"'],
    ['ansible_proxy_key_type = "RSA"'],
    ['ansible_ssh_extra_args = ["-o A=b"]'],
  ])('%s is taken with a warning', async (hcl) => {
    const [diagnostic] = await diagnose(hcl);
    expect(diagnostic?.severity).toBe('warning');
    expect(diagnostic?.message).toContain(`${hcl.split(' ')[0]} has no effect`);
  });

  test.each([
    ['groups = ["a b"]', 'is no name for an inventory'],
    ['host_alias = "x=y"', 'is no name for an inventory'],
    ['ansible_env_vars = ["novalue"]', 'is no NAME=value'],
    ['ansible_winrm_use_http = true', 'WinRM'],
  ])('%s is an error', async (hcl, message) => {
    const [diagnostic] = await diagnose(hcl);
    expect(diagnostic?.severity).toBe('error');
    expect(diagnostic?.message).toContain(message);
  });

  test('what most templates say is taken without a word', async () => {
    expect(await diagnose('use_proxy = false\nskip_version_check = true')).toEqual([]);
  });
});
