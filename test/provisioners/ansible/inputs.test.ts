import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Inputs, unhashed } from '../../../src/provisioners/ansible/inputs.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-inputs-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function make(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    if (path.endsWith('/')) mkdirSync(join(dir, path), { recursive: true });
    else writeFileSync(join(dir, path), '');
  }
}

test('a playbook in a folder of its own: all of the folder, but for what tools keep there', () => {
  make('ansible/site.yml', 'ansible/own/x.j2', 'ansible/.git/HEAD', 'ansible/site.retry', 'other/y');
  expect(new Inputs(dir).playbook('ansible/site.yml').list()).toEqual(['ansible/own', 'ansible/site.yml']);
});

test('a playbook beside the template: what Ansible knows, and no outputs', () => {
  make('site.yml', 'more.yaml', 'roles/', 'group_vars/', 'output-web/disk.raw', 'web.pkr.hcl', '.git/HEAD');
  expect(new Inputs(dir).playbook('./site.yml').list()).toEqual([
    './site.yml',
    'group_vars',
    'more.yaml',
    'roles',
  ]);
});

test('a playbook above the template: the same rule', () => {
  make('project/site.yml', 'project/images/web.pkr.hcl', 'project/roles/');
  const inputs = new Inputs(join(dir, 'project/images')).playbook('../site.yml').list();
  expect(inputs).toEqual(['../roles', '../site.yml']);
});

test('what must be there is named even if it is not; what may be there is not', () => {
  make('vars.yml', 'roles/a/tasks/main.yml');
  const inputs = new Inputs(dir)
    .need('missing.yml', undefined)
    .may('ansible.cfg', 'roles', undefined)
    .extraArguments(['-e', '@vars.yml', '--extra-vars=@gone.yml', '-v', '-e@vars.yml', '-e', 'a=@b'])
    .list();
  expect(inputs).toEqual(['missing.yml', 'roles', 'vars.yml']);
});

test('what lies in a folder of the list is in the list once', () => {
  make('roles/a/x', 'rolesb');
  expect(new Inputs(dir).may('roles', 'roles/a', './roles', 'rolesb').list()).toEqual(['roles', 'rolesb']);
});

test('files that Ansible read and no digest covers', () => {
  const loaded = [
    join(dir, 'roles/a/tasks/main.yml'),
    '/usr/share/ansible/x.yml',
    '/elsewhere/vars.yml',
    '/scratch/inventory',
    '',
  ];
  expect(unhashed(loaded, ['roles'], ['/scratch'], dir)).toEqual([
    join('../'.repeat(dir.split('/').length - 1), 'elsewhere/vars.yml'),
  ]);
});
