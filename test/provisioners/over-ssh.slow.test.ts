import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import type { Machine } from '../../src/core/machine.ts';
import { createHost } from '../../src/host/index.ts';
import { connectHost } from '../../src/machines/ssh-host.ts';
import { sshSettingsOf } from '../../src/machines/ssh/settings-of.ts';
import { ansibleProvisioner } from '../../src/provisioners/ansible.ts';
import { startServer, type TestServer } from '../machines/ssh/server.ts';
import { fakeContext } from './fake-machine.ts';
import { optionsOf } from './options.ts';

// The same connection plugin reaches machines over SSH, as VMs are: here a server of our own, whose commands run here.

let dir: string;
let server: TestServer;
let machine: Machine;
let ctx: Context;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-over-ssh-'));
  cpSync(resolve(import.meta.dirname, '../fixtures/ansible/roles'), join(dir, 'roles'), { recursive: true });
  server = await startServer();
  ctx = fakeContext(dir, createHost({ leaseDir: join(dir, 'leases') })).ctx;
  const options = {
    ssh_username: 'tester',
    ssh_password: 'right',
    ssh_timeout: 10_000,
    ssh_handshake_attempts: 1,
    ssh_bastion_port: 22,
  };
  const settings = await sshSettingsOf(options, undefined, { templateDir: dir });
  const artifact = { builderId: 'x', id: 'x', files: [], description: 'x' };
  const host = { ...settings, host: '127.0.0.1', port: server.port };
  machine = connectHost(host, { generated: new Map(), artifact }, ctx);
});
afterAll(async () => {
  await machine[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

test('modules, files and much output over SSH', async () => {
  const site = `
- hosts: all
  gather_facts: false
  tasks:
    - assert: { that: [ansible_host == "127.0.0.1", ansible_user == "tester"] }
    - copy: { src: roles/web/files/page.html, dest: "${dir}/page.html" }
    - fetch: { src: "${dir}/page.html", dest: "${dir}/back.html", flat: true }
    - command: head -c 2000000 /dev/zero
      changed_when: false
      no_log: true
`;
  writeFileSync(join(dir, 'site.yml'), site);
  const options = await optionsOf(ansibleProvisioner, 'playbook_file = "site.yml"');
  const { summary } = await ansibleProvisioner.provision(machine, options, ctx);
  expect(summary).toBe('ok 4, changed 2, failed 0');
  expect(readFileSync(join(dir, 'back.html'), 'utf8')).toBe('<p>hello</p>\n');
});

test('a connection that breaks is tried again by wait_for_connection', async () => {
  const site = `
- hosts: all
  gather_facts: false
  tasks:
    - raw: "true"
    - wait_for_connection: { timeout: 20, sleep: 1 }
    - copy: { content: x, dest: "${dir}/after" }
`;
  writeFileSync(join(dir, 'site.yml'), site);
  const options = await optionsOf(ansibleProvisioner, 'playbook_file = "site.yml"');
  await ansibleProvisioner.provision(machine, options, {
    ...ctx,
    emit: (event) => {
      if (event.type === 'step:progress' && event.what === 'wait_for_connection') server.drop();
    },
  });
  expect(existsSync(join(dir, 'after'))).toBe(true);
});
