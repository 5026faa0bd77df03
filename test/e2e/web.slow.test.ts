import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BootCheckResult } from '../../src/checks/boot.ts';
import { Workspace } from './ingot.ts';

const BOOT_ONCE = `image "web" {
  version = git.version
  output "qcow2" { compression = "zstd" }
  output "raw" {}
  test "boot" {
    firmware = ["bios", "uefi"]
    timeout  = "600s"
  }
  release { channels = ["dev"] }
}
`;

let ws: Workspace;
beforeAll(() => {
  ws = new Workspace();
  writeFileSync(ws.path('web.ingot.hcl'), BOOT_ONCE);
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

  test('an edit of the last provisioner runs it and what follows, on the layers below', async () => {
    appendFileSync(ws.path('harden.sh'), '\n# edited\n');
    // The boots take minutes, and the disk of an edited image would be booted again.
    writeFileSync(ws.path('web.ingot.hcl'), BOOT_ONCE.replace(/test "boot" \{[^}]*\}/, ''));
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
});
