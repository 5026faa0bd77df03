import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Context } from '../../src/core/context.ts';
import { sha256 } from '../../src/core/digest.ts';
import type { BuildEvent } from '../../src/core/event.ts';
import type { Layer } from '../../src/core/layer.ts';
import type { Machine } from '../../src/core/machine.ts';
import type { Provisioner, StepResult } from '../../src/core/plugin.ts';
import { createHost } from '../../src/host/index.ts';
import { startContainer } from '../../src/machines/container.ts';
import { ansibleLocalProvisioner } from '../../src/provisioners/ansible-local.ts';
import { ansibleProvisioner } from '../../src/provisioners/ansible.ts';
import { saltMasterlessProvisioner } from '../../src/provisioners/salt-masterless.ts';
import { optionsOf } from './options.ts';

const FIXTURE = resolve(import.meta.dirname, '../fixtures/ansible');

/** Salt's last release whose requirements are all to be had, and what its package forgets to require. */
const SALT =
  'salt==3006.9 msgpack distro jinja2 pyyaml requests packaging looseversion psutil pyzmq pycryptodomex'.split(
    ' ',
  );
/** Of Debian bookworm. */
const IMAGE_PYTHON = [3, 11] as const;
const command = promisify(execFile);

let dir: string;
let hasSalt: boolean;
let base: Layer;
let ctx: Context;
let machine: Machine;
let events: BuildEvent[];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-ansible-test-'));
  const layer = join(dir, 'base');
  mkdirSync(layer);
  const salt = join(dir, 'salt');
  [hasSalt] = await Promise.all([fetchSalt(salt), makeSystem(join(layer, 'fs'))]);
  if (hasSalt) cpSync(salt, join(layer, 'fs/opt/salt'), { recursive: true });
  base = {
    id: sha256('base'),
    kind: 'overlay',
    parents: [],
    blobs: [],
    localOnly: false,
    result: null,
    dir: layer,
  };
});

async function makeSystem(target: string): Promise<void> {
  const given = process.env.INGOT_TEST_ANSIBLE_BASE;
  if (given !== undefined) {
    await command('cp', ['-a', given, target]);
    return;
  }
  const includes = '--include=ansible-core,sudo';
  const withoutDocs = '--dpkgopt=path-exclude=/usr/share/doc/*';
  await command('mmdebstrap', ['--quiet', '--variant=minbase', includes, withoutDocs, 'bookworm', target]);
}

/** Salt, which Debian does not have, by pip; false where there is no pip, or none for the image's Python. */
async function fetchSalt(target: string): Promise<boolean> {
  const [major, minor] = IMAGE_PYTHON;
  const isSame = `import sys; sys.exit(sys.version_info[:2] != (${major}, ${minor}))`;
  try {
    await command('python3', ['-c', isSame]);
    await command('python3', [
      '-m',
      'pip',
      'install',
      '-q',
      '--no-compile',
      `--target=${target}/lib`,
      ...SALT,
    ]);
  } catch {
    return false;
  }
  const script = '#!/bin/sh\nPYTHONPATH=/opt/salt/lib exec python3 /opt/salt/lib/bin/salt-call "$@"\n';
  writeFileSync(join(target, 'salt-call'), script, { mode: 0o755 });
  return true;
}

afterAll(() => rmSync(dir, { recursive: true, force: true }));

beforeEach(async () => {
  const project = mkdtempSync(join(dir, 'project-'));
  cpSync(FIXTURE, project, { recursive: true });
  mkdirSync(join(project, 'work'));
  events = [];
  ctx = {
    build: { name: 'web', type: 'container', runUuid: 'r' },
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    step: 'mmdebstrap.web/ansible[0]',
    host: createHost({ leaseDir: join(project, 'leases') }),
    clock: systemClock,
    secrets: { resolve: async () => '' },
    workDir: join(project, 'work'),
    cacheDir: project,
    epoch: 1_700_000_000,
    templateDir: project,
  };
  machine = await startContainer({ base: [base] }, ctx);
  await sh('useradd --create-home deploy');
});
afterEach(() => machine[Symbol.asyncDispose]());

async function sh(script: string): Promise<string> {
  const { stdout, stderr, exitCode } = await machine.communicator.exec(['sh', '-c', script]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

async function provision<O>(plugin: Provisioner<O>, hcl: string): Promise<StepResult> {
  return await plugin.provision(machine, await optionsOf(plugin, hcl), ctx);
}

function playbook(text: string): void {
  writeFileSync(join(ctx.templateDir, 'own.yml'), text);
}

/** What site.yml makes, however it is run. */
async function expectSite(): Promise<void> {
  expect(await sh('cat /etc/site.conf; stat -c %a /etc/site.conf')).toBe(
    'port 8080 on localhost by Ansible managed\n640\n',
  );
  expect(await sh('cat /srv/page.html /var/restarts')).toBe('<p>hello</p>\nrestarted\n');
  expect(await sh('stat -c %U /home/deploy/greeting')).toBe('deploy\n');
}

const COUNTS = [
  { play: 'The web server', ok: 4, changed: 3, failed: 0, skipped: 0, unreachable: 0 },
  { play: 'Who is who', ok: 6, changed: 1, failed: 0, skipped: 1, unreachable: 0 },
];

describe('ansible, in a container', () => {
  test('roles, templates, handlers, other users; a second run changes nothing', async () => {
    const { summary, data } = await provision(
      ansibleProvisioner,
      'playbook_file = "site.yml"\ngroups = ["web"]\nidempotence = true',
    );
    await expectSite();
    expect(summary).toBe('ok 10, changed 4, failed 0, skipped 1; a second run changed nothing');
    expect(data).toMatchObject({ idempotent: true, plays: COUNTS });
    expect(events.filter((e) => e.type === 'diagnostic')).toEqual([]);
  });

  test('a user of the image, by sudo and its password', async () => {
    await sh('echo deploy:s3cret | chpasswd && usermod --append --groups sudo deploy');
    playbook(`
- hosts: all
  gather_facts: false
  tasks:
    - command: id -un
      register: me
    - command: id -un
      become: true
      register: root
    - copy: { content: "{{ me.stdout }} {{ root.stdout }}", dest: /home/deploy/users }
    - copy: { content: x, dest: /etc/by-deploy }
      become: true
    - slurp: { src: /etc/by-deploy }
      become: true
    - fetch: { src: /home/deploy/users, dest: ./, flat: true }
`);
    await provision(
      ansibleProvisioner,
      'playbook_file = "own.yml"\nuser = "deploy"\nextra_arguments = ["-e", "ansible_become_password=s3cret"]',
    );
    expect(await sh('cat /home/deploy/users; stat -c %U /home/deploy/users /etc/by-deploy')).toBe(
      'deploy rootdeploy\nroot\n',
    );
    expect(readFileSync(join(ctx.templateDir, 'users'), 'utf8')).toBe('deploy root');
  });

  test.each<[string, string, object]>([
    [
      'a task that fails',
      `
- hosts: all
  gather_facts: false
  tasks:
    - name: install what is not there
      command: ls /no/such
`,
      {
        code: 'provisioner/playbook-failed',
        message: expect.stringMatching(
          /^the playbook own\.yml ended with exit code 2: task "install what is not there" on default \(own\.yml:5\): non-zero return code: ls: cannot access/,
        ),
      },
    ],
    [
      'a user that is not there',
      '- hosts: all\n  gather_facts: false\n  vars: { ansible_user: ghost }\n  tasks:\n    - ping:\n',
      {
        code: 'provisioner/playbook-failed',
        message: expect.stringMatching(/exit code 4: task "ping" on default \(own\.yml:5\): .*ghost/),
      },
    ],
    [
      'a playbook that is none',
      '- hosts: all\n  tasks: [\n',
      { code: 'provisioner/playbook-failed', message: expect.stringContaining('exit code 4: ERROR! ') },
    ],
  ])('%s', async (_what, text, error) => {
    playbook(text);
    await expect(provision(ansibleProvisioner, 'playbook_file = "own.yml"')).rejects.toMatchObject(error);
  });

  test('a second run that changes something is told by task', async () => {
    playbook('- hosts: all\n  gather_facts: false\n  tasks:\n    - name: today\n      command: date\n');
    await expect(
      provision(ansibleProvisioner, 'playbook_file = "own.yml"\nidempotence = true'),
    ).rejects.toThrow(
      'the second run of own.yml changed 1; expected nothing to change: task "today" on default (own.yml:4)',
    );
  });

  test('hosts of the user: one is the machine, a second one is refused, localhost is here', async () => {
    writeFileSync(join(ctx.templateDir, 'hosts'), 'web1\nweb2\n');
    playbook(`
- hosts: all
  gather_facts: false
  tasks:
    - command: touch /made-inside
    - command: touch {{ playbook_dir }}/made-here
      delegate_to: localhost
`);
    const hcl = 'playbook_file = "own.yml"\ninventory_file = "hosts"\n';
    await provision(ansibleProvisioner, `${hcl}extra_arguments = ["--limit=web2"]`);
    await sh('test -f /made-inside');
    readFileSync(join(ctx.templateDir, 'made-here'));
    await expect(provision(ansibleProvisioner, hcl)).rejects.toThrow('the build has one machine');
  });

  test('a build that is stopped leaves nothing running', async () => {
    playbook('- hosts: all\n  gather_facts: false\n  tasks:\n    - command: sleep 1006\n');
    const stop = new AbortController();
    const options = await optionsOf(ansibleProvisioner, 'playbook_file = "own.yml"');
    const run = ansibleProvisioner.provision(machine, options, {
      ...ctx,
      signal: stop.signal,
      emit: (event) => {
        if (event.type === 'step:progress') setTimeout(() => stop.abort(new Error('stopped')), 2000);
      },
    });
    await expect(run).rejects.toThrow('stopped');
    const left = execFileSync('ps', ['ax', '-o', 'args='], { encoding: 'utf8' }).split('\n');
    expect(left.filter((line) => /sleep 1006|ansible-playbook.*own\.yml/.test(line))).toEqual([]);
  });
});

describe('ansible-local, in a container', () => {
  test('the same playbook, inside', async () => {
    const { summary, data } = await provision(
      ansibleLocalProvisioner,
      `playbook_file = "site.yml"
       role_paths = ["roles/web"]
       group_vars = "group_vars"
       inventory_groups = ["web"]
       clean_staging_directory = true
       idempotence = true`,
    );
    await expectSite();
    expect(summary).toBe('ok 10, changed 4, failed 0, skipped 1; a second run changed nothing');
    expect(data).toMatchObject({ idempotent: true, plays: COUNTS });
    expect(await sh('ls /tmp/packer-provisioner-ansible-local')).toBe('');
  });

  test('a task that fails', async () => {
    playbook('- hosts: all\n  gather_facts: false\n  tasks:\n    - name: breaks\n      command: "false"\n');
    await expect(provision(ansibleLocalProvisioner, 'playbook_file = "own.yml"')).rejects.toMatchObject({
      code: 'provisioner/playbook-failed',
      message:
        'the playbook own.yml ended with exit code 2: task "breaks" on 127.0.0.1 (own.yml:4): non-zero return code',
    });
  });
});

describe('salt-masterless, in a container', () => {
  const hcl =
    'local_state_tree = "salt/states"\nlocal_pillar_roots = "salt/pillar"\nsalt_bin_dir = "/opt/salt"\n';

  test('states with pillars and grains', async (t) => {
    if (!hasSalt) t.skip('Salt could not be had by pip');
    const { summary } = await provision(saltMasterlessProvisioner, `${hcl}grains_file = "salt/grains"`);
    expect(await sh('cat /etc/site.conf')).toBe('port 8080 of web\n');
    expect(summary).toBe('succeeded 1, changed 1, failed 0');
  });

  test('a state that fails', async (t) => {
    if (!hasSalt) t.skip('Salt could not be had by pip');
    await expect(provision(saltMasterlessProvisioner, `${hcl}custom_state = "breaks"`)).rejects.toMatchObject(
      {
        code: 'provisioner/states-failed',
        message: expect.stringContaining('state "break it": Command "exit 3" run'),
      },
    );
  });
});
