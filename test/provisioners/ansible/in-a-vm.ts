import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../../../src/core/context.ts';
import { buildKey } from '../../../src/machines/vm/build-key.ts';
import type { Vm } from '../../../src/machines/vm.ts';
import { ansibleProvisioner } from '../../../src/provisioners/ansible.ts';
import { type Finished, Workspace } from '../../e2e/ingot.ts';
import type { Resume } from '../../machines/vm/faults.ts';
import { shareWhatRuns } from '../../setup/no-leaks.ts';
import { optionsOf } from '../options.ts';

const PLAYBOOK = 'test/fixtures/ansible/service.yml';

/**
 * The real Ansible over SSH against a real machine: while an image is built, and when it runs as somebody's server. That a second run
 * changes nothing is shown in containers, where it takes a second.
 */
export function describePlaybooks(resumed: Resume, context: () => Context): void {
  let vm: Vm;
  let ws: Workspace;
  beforeAll(async () => {
    vm = await resumed();
    await vm.up();
    ws = new Workspace();
    for (const file of ['web.pkr.hcl', 'web.ingot.hcl']) rmSync(ws.path(file));
    cpSync(PLAYBOOK, ws.path('site.yml'));
    const { privateKey } = buildKey(context().cacheDir);
    writeFileSync(ws.path('key'), privateKey, { mode: 0o600 });
    shareWhatRuns();
  });
  afterAll(async () => {
    await vm?.[Symbol.asyncDispose]();
    ws?.remove();
  });

  const sh = async (script: string): Promise<string> =>
    (await vm.communicator.exec(['sh', '-c', script])).stdout;
  /** A template for the server that runs, and a build of it. */
  async function upgrade(provisioner: string, login = 'ssh_private_key_file = "key"'): Promise<Finished> {
    writeFileSync(
      ws.path('upgrade.pkr.hcl'),
      `source "null" "server" {
  ssh_host     = "127.0.0.1"
  ssh_port     = ${vm.generated.get('Port')}
  ssh_username = "root"
  ssh_handshake_attempts = 1
  ${login}
}
build {
  sources = ["null.server"]
  provisioner "ansible" {
    playbook_file = "site.yml"
    ${provisioner}
  }
}
`,
    );
    return await ws.run('build', '.');
  }

  test('a service of systemd is set up', async () => {
    const templateDir = mkdtempSync(join(context().workDir, 'playbook-'));
    cpSync(PLAYBOOK, join(templateDir, 'site.yml'));
    const options = await optionsOf(ansibleProvisioner, 'playbook_file = "site.yml"');
    const { summary } = await ansibleProvisioner.provision(vm, options, { ...context(), templateDir });
    expect(summary).toBe('ok 4, changed 4, failed 0');
    expect(await sh('systemctl is-active site; cat /run/site')).toBe('active\nrelease 1\n');
  });

  test('the same playbook upgrades it in place, by ssh_host', async () => {
    const { exitCode, stdout, stderr } = await upgrade('extra_arguments = ["-e", "release=2"]');
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('(ok 4, changed 2, failed 0)');
    expect(await sh('systemctl is-active site; cat /run/site')).toBe('active\nrelease 2\n');
  });

  test('a task that fails: task, host and message', async () => {
    const failing = '- name: never\n  ansible.builtin.service: { name: no-such-service, state: started }\n';
    const plays = readFileSync(ws.path('site.yml'), 'utf8');
    writeFileSync(
      ws.path('site.yml'),
      plays.replace('  tasks:\n', `  tasks:\n${failing.replace(/^/gm, '    ').trimEnd()}\n`),
    );
    const { exitCode, stderr } = await upgrade('');
    writeFileSync(ws.path('site.yml'), plays);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('[provisioner/playbook-failed]');
    expect(stderr).toMatch(
      /task "never" on default \(site\.yml:\d+\): Could not find the requested service no-such-service/,
    );
  });

  test('a password that is not its own', async () => {
    const { exitCode, stderr } = await upgrade('', 'ssh_password = "wrong"');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('[ssh/login-refused]');
    expect(stderr).toContain('does not let root in; it was offered a password');
  });
}
