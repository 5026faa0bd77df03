import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { vmBase } from '../machines/vm-base.ts';
import { finished, Workspace } from './ingot.ts';
import { type Contents, contentsOf, qemuProject } from './qemu-project.ts';

// One template with a qemu source: by Packer, by Ingot in a machine and in a container.

const PROVISIONED = [
  '/srv/www/index.html',
  '/etc/sysctl.d/90-harden.conf',
  '/etc/ssh/sshd_config.d/90-harden.conf',
];
const PAGE = '<h1>a page</h1>\n';
let ws: Workspace;
let byMachine: Contents;
let harden: string;

beforeAll(() => {
  ws = new Workspace();
  const base = vmBase(ws.root);
  rmSync(ws.project, { recursive: true });
  mkdirSync(ws.project);
  qemuProject(ws.project, base);
  harden = readFileSync(ws.path('harden.sh'), 'utf8');
});
afterAll(() => ws.remove());
afterEach(() => {
  expect(ws.residue()).toEqual([]);
});

const image = (): string => ws.path('out/packer-web');
const looksAsMadeBy = (c: Contents): void => {
  expect(c.packages).toContainEqual('web-page 1.0 install ok installed');
  expect(c.packages.length).toBeGreaterThan(50);
  expect(c.files['/srv/www/index.html']).toBe(PAGE);
};

describe('engine vm', () => {
  test('builds where the template says', async () => {
    const report = await ws.build();
    expect(report.images[0]).toMatchObject({ status: 'done', steps: { cached: 0 } });
    byMachine = await contentsOf(image(), PROVISIONED);
    looksAsMadeBy(byMachine);
    expect((await ws.build()).images[0]?.steps).toMatchObject({ ran: 0 });
  });

  test('goes on at an edited provisioner without a boot', async () => {
    appendFileSync(ws.path('harden.sh'), 'cat /proc/uptime; sudo touch /etc/edited\n');
    const { exitCode, stdout } = await ws.run('build', '.');
    expect(stdout).toContain('goes on from its kept memory: no boot');
    expect(stdout).not.toContain('the machine boots');
    expect(exitCode).toBe(0);
    expect((await contentsOf(image(), [...PROVISIONED, '/etc/edited'])).packages).toEqual(byMachine.packages);
    expect((await ws.run('cache', 'ls')).stdout).toMatch(/vm-state .*MiB/);
  });

  test('goes on at the first provisioner without a boot; killed with everything that it started', async () => {
    appendFileSync(ws.path('site/index.html'), '<p>edited</p>\n');
    appendFileSync(ws.path('harden.sh'), 'sleep 100\n');
    const ingot = ws.start('build', '.');
    const end = finished(ingot);
    await new Promise<void>((heard) => {
      ingot.stdout?.on('data', (text: Buffer) => {
        if (String(text).includes('no boot')) heard();
      });
    });
    await delay(1000);
    process.kill(ingot.pid as number, 'SIGKILL');
    await end;
    expect((await ws.run('clean')).exitCode).toBe(0);
    writeFileSync(ws.path('site/index.html'), PAGE);
  });
});

test('engine container agrees with the machine', async () => {
  writeFileSync(ws.path('harden.sh'), harden);
  const report = await ws.build('--engine', 'container');
  expect(report.images[0]?.status).toBe('done');
  const contents = await contentsOf(image(), PROVISIONED);
  expect(contents).toEqual(byMachine);
});

test('engine container boots systemd: a playbook sets up a service there', async () => {
  cpSync('test/fixtures/ansible/service.yml', ws.path('site.yml'));
  const template = `source "qemu" "site" {
  iso_url          = "base.qcow2"
  iso_checksum     = "none"
  disk_image       = true
  ssh_username     = "root"
  output_directory = "out-site"
}
build {
  sources = ["qemu.site"]
  provisioner "ansible" {
    playbook_file = "site.yml"
    idempotence   = true
  }
  provisioner "shell" {
    inline = ["systemctl is-active ssh site", "cat /run/site"]
  }
}
`;
  writeFileSync(ws.path('site.pkr.hcl'), template);
  const { exitCode, stdout, stderr } = await ws.run('build', '--engine', 'container', 'site.pkr.hcl');
  expect(exitCode, stderr).toBe(0);
  expect(stdout).toContain('(ok 4, changed 4, failed 0; a second run changed nothing)');
  expect(stdout).toMatch(/site: active\n.*site: active\n.*site: release 1\n/);
});

test('Packer agrees', async () => {
  renameSync(ws.path('out'), ws.path('out-ingot'));
  execFileSync('packer', ['build', 'web.pkr.hcl'], {
    cwd: ws.project,
    env: { ...process.env, CHECKPOINT_DISABLE: '1', PACKER_CACHE_DIR: join(ws.root, 'packer-cache') },
    stdio: 'pipe',
    timeout: 500_000,
  });
  expect(await contentsOf(image(), PROVISIONED)).toEqual(byMachine);
});

describe('what does not come up is told at once', () => {
  test.each([
    ['vm', 'machine/boot-failed', /No bootable device/],
    ['container', 'disk/no-root', /no ext4 or xfs/],
  ])('an empty disk, engine %s', async (engine, code, message) => {
    writeFileSync(ws.path('base.qcow2.raw'), '');
    truncateSync(ws.path('base.qcow2.raw'), 64 * 1024 ** 2);
    writeFileSync(
      ws.path('empty.pkr.hcl'),
      `source "qemu" "empty" {
  iso_url      = "base.qcow2.raw"
  iso_checksum = "none"
  disk_image   = true
  accelerator  = "tcg"
  ssh_username = "root"
}
build {
  sources = ["qemu.empty"]
  provisioner "shell" {
    inline = ["true"]
  }
}
`,
    );
    const { exitCode, stderr } = await ws.run('build', '--engine', engine, 'empty.pkr.hcl');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(code);
    expect(stderr).toMatch(message);
  });
});
