import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contextOf, testGoss } from '../../src/app/goss.ts';
import { hardeningFile } from '../../src/app/policy-files.ts';
import { openSession } from '../../src/app/session.ts';
import type { BootCheckResult } from '../../src/checks/boot.ts';
import { checkHardening } from '../../src/checks/hardening.ts';
import type { Context } from '../../src/core/context.ts';
import type { BuildEvent } from '../../src/core/event.ts';
import type { Rootfs } from '../../src/core/rootfs.ts';
import { openRootfs } from '../../src/host/index.ts';
import type { TestOutcome } from '../../src/plan/catalog.ts';
import { finished, Workspace } from './ingot.ts';

/** The example's own image file, with a raw disk to look at, and more time for hosts under load. */
const provenImage = (): string =>
  readFileSync(ws.path('web.ingot.hcl'), 'utf8')
    .replace('  output "spdx" {}', '  output "raw" {}\n  output "spdx" {}')
    .replace('"300s"', '"600s"');

/** Without proofs, for what is tried on a build of its own. */
const UNPROVEN = `image "web" {
  version = git.version
  output "qcow2" { compression = "zstd" }
  release { channels = ["dev"] }
}
`;

let ws: Workspace;
beforeAll(() => {
  ws = Workspace.withDownloads();
  writeFileSync(ws.path('web.ingot.hcl'), provenImage());
  ws.commit('release-1.2.0');
});
afterAll(() => ws.remove());

const digest = (path: string): string =>
  `sha256:${createHash('sha256').update(readFileSync(path)).digest('hex')}`;

describe('examples/web, the whole way', () => {
  test('builds, boots by BIOS and UEFI, with and without a seed, and is released', async () => {
    const report = await ws.build();
    const [image] = report.images;
    expect(report.ok).toBe(true);
    expect(image).toMatchObject({ name: 'web', version: '1.2.0', status: 'done' });
    for (const output of image?.outputs ?? []) expect(digest(output.path)).toBe(output.digest);
    // Every proof of the example is there, and passed.
    expect(image?.tests.map((t) => [t.type, t.outcome.passed])).toEqual(
      ['boot', 'goss', 'secrets', 'policy'].map((type) => [type, true]),
    );
    expect(image?.outputs.map((o) => o.format)).toEqual(['qcow2', 'raw', 'spdx', 'cyclonedx']);
    expect(image?.tests[3]?.outcome.checks.map((c) => c.name)).toEqual([
      'proofs',
      'seal operations',
      'age of the base',
      'forbidden packages',
      'privileged files',
      'hardening debian-level1',
    ]);
    expect(image?.tests[0]?.outcome.checks.map((c) => c.name)).toEqual([
      'bios, with seed',
      'uefi, with seed',
      'bios, without seed',
      'clones differ',
    ]);
    const data = image?.tests[0]?.outcome.data as unknown as BootCheckResult;
    for (const c of data.cases) {
      expect(c.grown).toBe(true);
      expect(c.report?.firstBoot).toBe(true);
      expect(c.report?.failedUnits).toEqual([]);
    }
    expect(data.clones?.equal).toEqual([]);
    expect(data.clones?.compared).toEqual(
      expect.arrayContaining(['/etc/machine-id', '/var/lib/systemd/random-seed', 'instance-id']),
    );
    expect(ws.residue()).toEqual([]);
  });

  test('the filesystem in the disk is whole, and the qcow2 is the raw disk', async () => {
    const { images } = await ws.build();
    const path = (format: string): string =>
      images[0]?.outputs.find((o) => o.format === format)?.path as string;
    execFileSync('qemu-img', ['compare', '-q', path('raw'), path('qcow2')]);
    const table = JSON.parse(execFileSync('sfdisk', ['-J', path('raw')], { encoding: 'utf8' })) as {
      partitiontable: { label: string; partitions: { start: number; name: string }[] };
    };
    expect(table.partitiontable.label).toBe('gpt');
    const root = table.partitiontable.partitions.find((p) => p.name === 'root');
    const root_image = `${path('raw')}?offset=${(root?.start ?? 0) * 512}`;
    execFileSync('e2fsck', ['-fn', root_image], { stdio: 'pipe' });
    expect(statSync(path('raw')).blocks * 512).toBeLessThan(statSync(path('raw')).size);
  });

  test('a second build runs no step', async () => {
    const [image] = (await ws.build()).images;
    expect(image?.steps.ran).toBe(1); // the manifest, which is written every time
  });

  describe('a broken copy of the disk fails its proof, for the right reason', () => {
    const events: BuildEvent[] = [];
    let base: string;

    beforeAll(async () => {
      const { images } = await ws.build();
      base = images[0]?.outputs.find((o) => o.format === 'raw')?.path as string;
    });

    /** A context as that of a step, with the caches of this test. */
    function context(): Context {
      const session = openSession({ emit: (e) => events.push(e), signal: new AbortController().signal });
      const cacheDir = ws.env.INGOT_CACHE_DIR as string;
      return { ...contextOf(session), cacheDir, workDir: join(cacheDir, 'tmp'), templateDir: ws.project };
    }

    /** A copy of the disk, in whose filesystem `change` has been. */
    async function broken(name: string, change: (root: Rootfs) => void): Promise<string> {
      const path = join(ws.root, `${name}.raw`);
      execFileSync('cp', ['--sparse=always', '--reflink=auto', base, path]);
      const dir = join(ws.root, `${name}-mount`);
      mkdirSync(dir);
      await using mount = await context().host.mountDisk({ disk: { path, format: 'raw' }, dir });
      change(openRootfs(mount.target));
      return path;
    }
    const DISK_ONLY = {
      file: 'goss.yaml',
      vars: undefined,
      vars_inline: undefined,
      strict: false,
      boot: false,
      machine: 'container',
      retry_timeout: 0,
      sleep: 0,
    };
    const failed = (outcome: TestOutcome): string[] =>
      outcome.checks.filter((c) => !c.passed).map((c) => c.name);

    test('a service that is switched off', async () => {
      const disk = await broken('stopped', (root) => {
        // Masked: a link that is only removed comes back with the presets of the first boot.
        root.symlink('/etc/systemd/system/nginx.service', '/dev/null');
      });
      const outcome = await testGoss(disk, DISK_ONLY, context());
      expect(failed(outcome)).toEqual(['Service: nginx: enabled']);
    });

    test('a service that is enabled, and dies as it starts', async () => {
      const disk = await broken('dead', (root) => {
        root.mkdir('/etc/systemd/system/nginx.service.d');
        root.write(
          '/etc/systemd/system/nginx.service.d/10-dead.conf',
          '[Service]\nExecStartPre=/bin/false\n',
        );
      });
      const outcome = await testGoss(disk, { ...DISK_ONLY, boot: true }, context());
      // The disk looks well; the booted copy alone tells.
      expect(failed(outcome).filter((name) => /^(?:Service|Process|Port): /.test(name))).toEqual([
        'Port: tcp6:80: listening',
        'Port: tcp:80: listening',
        'Process: nginx: running',
        'Service: nginx: running',
      ]);
      expect(outcome.checks.find((c) => c.name === 'Service: nginx: running')?.message).toMatch(
        /Expected false to equal true/,
      );
      // What a port that nobody listens on cannot tell is left out, and says so.
      expect(outcome.skipped).toContainEqual({ name: 'Port: tcp:80: ip', reason: 'listening failed' });
    });

    test('a weak mode', async () => {
      const disk = await broken('weak', (root) => root.chmod('/srv/www/index.html', 0o666));
      const outcome = await testGoss(disk, DISK_ONLY, context());
      expect(failed(outcome)).toEqual(['File: /srv/www/index.html: mode']);
    });

    test('weak settings, wherever they stand', async () => {
      const disk = await broken('soft', (root) => {
        const soft = 'PermitRootLogin yes\nMatch user eve\nX11Forwarding yes\n';
        root.write('/etc/ssh/sshd_config.d/10-soft.conf', soft);
        root.chmod('/srv/www/style.css', 0o646);
      });
      const dir = join(ws.root, 'soft-view');
      mkdirSync(dir);
      await using mount = await context().host.mountDisk({ disk: { path: disk, format: 'raw' }, dir });
      const file = hardeningFile('debian-level1', '/');
      const results = await checkHardening(file, openRootfs(mount.target), context());
      expect(results.filter((r) => r.status === 'failed').map((r) => [r.id, r.message])).toEqual([
        ['ssh-root-login', expect.stringContaining('found permitrootlogin yes, expected')],
        ['world-writable-files', expect.stringContaining('found /srv/www/style.css')],
      ]);
    });
  });

  test('an edit of the last provisioner runs it and what follows, on the layers below', async () => {
    appendFileSync(ws.path('harden.sh'), '\n# edited\n');
    // The boots take minutes, and the disk of an edited image would be booted again.
    writeFileSync(ws.path('web.ingot.hcl'), UNPROVEN);
    ws.commit('release-1.2.1');
    const { exitCode, stdout } = await ws.run('build', '--timestamp-ui', '.');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/mmdebstrap\.base: cached/);
    expect(stdout).toMatch(/file\[1\]: cached/);
    expect(stdout).toMatch(/shell harden\.sh: done/);
    expect(stdout).toMatch(/initramfs from the cache/);
  });

  test('releases are found, and a version is never changed', async () => {
    const found = await ws.run('lookup', 'web@1.2.0', '--output', 'qcow2', '--json');
    expect(found.exitCode).toBe(0);
    const { outputs } = JSON.parse(found.stdout) as { outputs: { digest: string; path: string }[] };
    expect(digest(outputs[0]?.path as string)).toBe(outputs[0]?.digest);
    expect((await ws.run('lookup', 'web@dev', '--json')).stdout).toContain('"1.2.1"');
    // The same version with other content.
    appendFileSync(ws.path('harden.sh'), '# edited again\n');
    const image = readFileSync(ws.path('web.ingot.hcl'), 'utf8');
    writeFileSync(ws.path('web.ingot.hcl'), image.replace('git.version', '"1.2.0"'));
    const refused = await ws.run('build', '.');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr + refused.stdout).toContain('release/exists');
  });

  describe('ingot boot', () => {
    const DISK = 'output-web/web-1.2.0.qcow2';
    const said = async (stream: Readable | null, what: RegExp): Promise<RegExpExecArray> => {
      let text = '';
      for await (const chunk of stream ?? []) {
        const found = what.exec((text += String(chunk)));
        if (found) return found;
      }
      throw new Error(`${what} was not said: ${text}`);
    };
    /** Boots, and answers the port that leads to the machine's ssh server. */
    const start = async (...args: string[]): Promise<{ child: ChildProcess; port: string }> => {
      const child = ws.start('boot', '--firmware', 'bios', ...args);
      child.stdout?.resume();
      const stderr = child.stderr?.setEncoding('utf8').iterator({ destroyOnReturn: false });
      const [, port] = await said(stderr as unknown as Readable, /127\.0\.0\.1:(\d+) leads to port 22/);
      return { child, port: port as string };
    };
    const ended = (child: ChildProcess): Promise<number | null> =>
      child.exitCode === null
        ? new Promise((done) => child.once('close', done))
        : Promise.resolve(child.exitCode);

    test('lets a key in, ends with the machine, and keeps what it wrote where that is wanted', async () => {
      const key = join(ws.root, 'key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
      const before = digest(ws.path(DISK));
      const overlay = join(ws.root, 'overlay');
      const { child, port } = await start('--ssh-key', `${key}.pub`, '--persist', overlay, 'web@1.2.0');
      const options = [
        'StrictHostKeyChecking=no',
        'UserKnownHostsFile=/dev/null',
        'BatchMode=yes',
        'ConnectTimeout=5',
      ];
      const ssh = ['-q', '-i', key, '-p', port, ...options.flatMap((o) => ['-o', o]), 'debian@127.0.0.1'];
      const script = 'cat /etc/image-release && sudo systemctl poweroff';
      let release = '';
      for (let attempt = 0; !release.includes('1.2.0') && attempt < 60; attempt++) {
        const answer = spawnSync('ssh', [...ssh, script], { encoding: 'utf8' });
        release += answer.stdout;
        if (release === '') await sleep(2000);
      }
      expect(release).toContain('1.2.0');
      expect(await ended(child)).toBe(0);
      expect(digest(ws.path(DISK))).toBe(before);
      expect(statSync(overlay).size).toBeGreaterThan(2 ** 20);
      const other = await ws.run('boot', '--persist', overlay, 'web@1.2.1');
      expect(other.exitCode).toBe(1);
      expect(other.stderr).toContain('[boot/other-base]');
      expect(ws.residue()).toEqual([]);
    });

    test('stopped by a signal, it takes machine and changes with it', async () => {
      const before = digest(ws.path(DISK));
      const { child } = await start(DISK);
      process.kill(child.pid as number, 'SIGTERM');
      expect(await ended(child)).toBe(130);
      expect(digest(ws.path(DISK))).toBe(before);
      expect(ws.residue()).toEqual([]);
    });
  });

  test('Ctrl-C of ingot test --exec takes the machine and everything else with it', async () => {
    const child = ws.start('test', ws.path('output-web/web-1.2.0.qcow2'), '--exec', 'true');
    const ended = finished(child);
    while (child.exitCode === null && !ws.residue().some((line) => line.includes('qemu-system')))
      await sleep(100);
    // As a terminal does it: to all that run there.
    process.kill(-(child.pid as number), 'SIGINT');
    const { exitCode, stderr } = await ended;
    expect(exitCode, stderr).toBe(130);
    expect(ws.residue()).toEqual([]);
  });
});
