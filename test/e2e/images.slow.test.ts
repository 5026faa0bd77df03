import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BuildReport } from '../../src/app/build.ts';
import type { LockedImage } from '../../src/core/lock.ts';
import { imageOf, writeLayout } from '../disk/oci/layouts.ts';
import { busyboxMembers } from '../sources/oci/busybox.ts';
import { haveRegistry, RealRegistry } from '../store/registry/real-registry.ts';
import { openRegistry } from '../../src/store/registry/registry.ts';
import { Workspace } from './ingot.ts';

let ws: Workspace;
const image = imageOf([busyboxMembers(), [{ path: 'etc/motd', data: 'from the vendor\n' }]], {
  Env: ['PATH=/bin:/usr/bin'],
});

/** A folder with a template of one source and one script, and an image file that releases it. */
function stage(name: string, source: string, script: string, version: string, outputs: string): void {
  const dir = ws.path(name);
  mkdirSync(dir, { recursive: true });
  const [type] = source.split(' ');
  writeFileSync(
    join(dir, 'image.pkr.hcl'),
    `source "${type}" "x" {\n${source.slice((type as string).length)}\n}
build {
  sources = ["source.${type}.x"]
  provisioner "shell" { inline = [${JSON.stringify(script)}] }
}
`,
  );
  writeFileSync(
    join(dir, 'image.ingot.hcl'),
    `image "${name}" {
  version = "${version}"
  ${outputs}
  release { channels = ["dev"] }
}
`,
  );
}

async function build(name: string, ...args: string[]): Promise<BuildReport> {
  const { exitCode, stdout, stderr } = await ws.run('build', '--json', ...args, name);
  if (exitCode !== 0) throw new Error(`ingot build ended with ${exitCode}\n${stderr.slice(-4000)}`);
  return JSON.parse(stdout) as BuildReport;
}

const lockOf = (name: string): LockedImage => {
  const lock = JSON.parse(readFileSync(ws.path(name, 'ingot.lock.json'), 'utf8')) as {
    entries: Record<string, LockedImage>;
  };
  return Object.values(lock.entries)[0] as LockedImage;
};

beforeAll(() => {
  ws = Workspace.withDownloads();
  for (const file of ['web.pkr.hcl', 'web.ingot.hcl']) rmSync(ws.path(file), { force: true });
  ws.mkdir('vendor');
  writeLayout(ws.path('base/layout'), { '1': image });
});
afterAll(() => ws.remove());

describe('images from images', () => {
  test('an image becomes a release, on which the next ones stand', async () => {
    stage(
      'base',
      'oci image = "oci:layout:1"',
      'echo base >> /etc/motd',
      '1.4.0',
      'output "oci" {}\n  output "rootfs" {}',
    );
    const first = await build('base');
    expect(first.images[0]).toMatchObject({ status: 'done', steps: { cached: 0 } });
    expect(lockOf('base').manifest.digest).toBe(image.manifest.descriptor.digest);

    stage(
      'hardened',
      'ingot release = "base@1.4.0"',
      'echo hardened >> /etc/motd',
      '2.0.0',
      'output "rootfs" {}',
    );
    await build('hardened');
    stage(
      'app',
      'ingot release = "hardened@dev"',
      'echo app >> /etc/motd',
      '3.0.0',
      'output "rootfs" {}\n  output "oci" {}',
    );
    const last = await build('app');
    expect(lockOf('app').ancestry?.map((a) => `${a.name}@${a.version}`)).toEqual([
      'hardened@2.0.0',
      'base@1.4.0',
    ]);

    const rootfs = last.images[0]?.outputs.find((o) => o.format === 'rootfs')?.path as string;
    const read = (path: string): string =>
      execFileSync('tar', ['--zstd', '-xOf', rootfs, path], { encoding: 'utf8' });
    expect(read('./etc/motd')).toBe('from the vendor\nbase\nhardened\napp\n');
    expect(read('./etc/image-release')).toMatch(
      /^ANCESTRY="hardened@2\.0\.0@sha256:\w+ base@1\.4\.0@sha256:\w+"$/m,
    );
    expect(read('./etc/image-release')).toMatch(/^BASE="hardened@2\.0\.0"$/m);
    expect(ws.residue()).toEqual([]);

    const shown = await ws.run('release', 'show', 'app@dev', '--json');
    expect(shown.stdout).toContain('dev.ingot.ancestry');
    const again = await build('app', '--locked');
    expect(again.images[0]?.steps.ran).toBeLessThanOrEqual(1);
  });

  test('a disk needs a kernel and a boot loader, and says so', async () => {
    stage('disk', 'oci image = "oci:../base/layout:1"', 'true', '1.0.0', 'output "raw" {}');
    const { exitCode, stderr } = await ws.run('build', 'disk');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('disk/no-kernel');
  });

  test.skipIf(!haveRegistry)('from a real registry, and from the cache when that is gone', async () => {
    const registry = await RealRegistry.start();
    try {
      const store = openRegistry({
        host: registry.host,
        repository: 'team/base',
        insecure: true,
        credentials: async () => undefined,
      });
      for (const { descriptor, bytes } of [...image.blobs, image.manifest])
        await store.push(descriptor, () => new Blob([new Uint8Array(bytes)]).stream());
      await store.tag(image.manifest.descriptor, 'v1');
      const source = `oci image = "docker://${registry.host}/team/base:v1"\n insecure = true`;
      stage('remote', source, 'echo remote >> /etc/motd', '1.0.0', 'output "rootfs" {}');
      const { images } = await build('remote');
      expect(images[0]?.status).toBe('done');
      expect(lockOf('remote').manifest.digest).toBe(image.manifest.descriptor.digest);
    } finally {
      await registry.stop();
    }
    const { images } = await build('remote', '--locked');
    expect(images[0]).toMatchObject({ status: 'done', steps: { ran: 0 } });
    const gone = await ws.run('update', 'remote');
    expect(gone.exitCode).not.toBe(0);
    expect(gone.stderr).toContain('store/unreachable');
  });
});
