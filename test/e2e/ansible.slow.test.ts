import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { imageOf, writeLayout } from '../disk/oci/layouts.ts';
import { busyboxMembers } from '../sources/oci/busybox.ts';
import { Workspace } from './ingot.ts';

// The real Ansible against a build's container, whose image has a shell and no python: `raw` is all that runs there.

const TEMPLATE = `variable "token" {
  type      = string
  sensitive = true
  default   = "hunter2-token"
}
source "oci" "x" {
  image = "oci:layout:1"
}
build {
  sources = ["source.oci.x"]
  provisioner "ansible" {
    playbook_file   = "site.yml"
    extra_arguments = ["-e", "token=\${var.token}"]
  }
}
`;
const PROVISIONER_LINE = 11;
const SITE = `
- name: Site
  hosts: all
  gather_facts: false
  roles:
    - web
  tasks:
    - debug: { msg: "the token is {{ token }}" }
`;
const ROLE = '- raw: echo {{ greeting }} >/etc/motd\n';
const FAILING = `
- hosts: all
  gather_facts: false
  tasks:
    - name: log in
      raw: echo "no entry for {{ token }}" >&2; exit 5
`;

let ws: Workspace;
const write = (path: string, text: string): void => {
  mkdirSync(dirname(ws.path(path)), { recursive: true });
  writeFileSync(ws.path(path), text);
};
beforeAll(() => {
  ws = new Workspace();
  for (const file of ['web.pkr.hcl', 'web.ingot.hcl']) rmSync(ws.path(file), { force: true });
  ws.mkdir('layout');
  writeLayout(ws.path('layout'), { '1': imageOf([busyboxMembers()]) });
  write('image.pkr.hcl', TEMPLATE);
  write('image.ingot.hcl', 'image "x" {\n  version = "1.0.0"\n  output "rootfs" {}\n}\n');
});
afterAll(() => ws.remove());
beforeEach(() => {
  write('site.yml', SITE);
  write('roles/web/tasks/main.yml', ROLE);
  write('group_vars/all.yml', 'greeting: hello\n');
});

test('counts are in the report, also when the layer comes from the cache', async () => {
  const { exitCode, stdout, stderr } = await ws.run('build', '--json', '.');
  expect(`${stderr}`).not.toContain('hunter2-token');
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain('the token is <sensitive>');
  expect(stderr).toMatch(/ansible site\.yml: done after .* \(ok 2, changed 1, failed 0\)/);
  const first = JSON.parse(stdout) as { images: { provisioners: unknown; steps: object }[] };
  expect(first.images[0]?.provisioners).toMatchObject([
    {
      type: 'ansible',
      summary: 'ok 2, changed 1, failed 0',
      data: { plays: [{ play: 'Site', ok: 2, changed: 1, failed: 0 }] },
    },
  ]);
  const second = await ws.build();
  expect(second.images[0]?.provisioners).toEqual(first.images[0]?.provisioners);
  expect(second.images[0]?.steps.ran).toBe(0);
  expect(readFileSync(ws.path('ingot.lock.json'), 'utf8')).not.toContain('hunter2');
  expect(ws.residue()).toEqual([]);
});

test.each([
  ['a role', 'roles/web/tasks/main.yml', `${ROLE}# edited\n`, true],
  ['a variable', 'group_vars/all.yml', 'greeting: hallo\n', true],
  ['ansible.cfg', 'ansible.cfg', '[defaults]\nforks = 2\n', true],
  ['what no playbook reads', 'notes.txt', 'hello', false],
])('an edit of %s', async (_what, path, text, runs) => {
  await ws.build();
  write(path, text);
  const [image] = (await ws.build()).images;
  rmSync(ws.path(path));
  // The provisioner, what stamps and seals its layer, and the output.
  expect((image?.steps.ran ?? 0) > 0).toBe(runs);
});

test('a playbook that fails: task, host, message, place and exit code, and no secret', async () => {
  write('site.yml', FAILING);
  const { exitCode, stdout, stderr } = await ws.run('build', '.');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /the playbook site\.yml ended with exit code 2: task "log in" on default \(site\.yml:5\): non-zero return code/,
  );
  expect(stderr).toContain('no entry for <sensitive>');
  expect(stderr).toContain(`image.pkr.hcl:${PROVISIONER_LINE}:`);
  expect(stdout + stderr).not.toContain('hunter2-token');
  expect(ws.residue()).toEqual([]);
});

test('modules in an image without python', async () => {
  write('site.yml', '- hosts: all\n  gather_facts: false\n  tasks:\n    - command: "true"\n');
  const { exitCode, stderr } = await ws.run('build', '.');
  expect(exitCode).toBe(1);
  expect(stderr).toContain("The image has no python3, which Ansible's modules run on");
});

test('a build that is killed within a playbook leaves nothing that the next one does not take away', async () => {
  const sleeping = `sleep 1007.${process.pid}`;
  write('site.yml', `- hosts: all\n  gather_facts: false\n  tasks:\n    - raw: ${sleeping}\n`);
  const build = ws.start('build', '.');
  const running = (): string =>
    execFileSync('ps', ['ax', '-o', 'args='], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line === sleeping || (line.includes('ansible-playbook') && line.includes(ws.root)))
      .join('\n');
  await vi.waitUntil(() => running().includes(sleeping), { timeout: 60_000 });
  const leases = `${ws.env.INGOT_CACHE_DIR}/leases`;
  const taken = readdirSync(leases).map((name) => readFileSync(`${leases}/${name}`, 'utf8'));
  const [folder] = taken.flatMap((lease) => /"([^"]*\/ingot-ansible-[^"]*)"/.exec(lease)?.[1] ?? []);
  expect(existsSync(folder as string)).toBe(true);
  build.kill('SIGKILL');
  write('site.yml', SITE);
  await ws.build();
  expect(existsSync(folder as string)).toBe(false);
  expect(running()).toBe('');
  expect(ws.residue()).toEqual([]);
});
