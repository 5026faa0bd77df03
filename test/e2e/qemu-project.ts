import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createHost } from '../../src/host/index.ts';

const FIXTURE = resolve(import.meta.dirname, '../fixtures/qemu');

/** Fills a folder with the template that Packer and Ingot both build, above the disk image `base`. */
export function qemuProject(dir: string, base: string): void {
  cpSync(FIXTURE, dir, { recursive: true });
  cpSync(base, join(dir, 'base.qcow2'));
  const seed = ['-as', 'mkisofs', '-quiet', '-volid', 'cidata', '-joliet', '-rock', '-output'];
  execFileSync('xorriso', [...seed, join(dir, 'seed.iso'), join(dir, 'seed')], { stdio: 'pipe' });
  const control = join(dir, 'package/DEBIAN');
  mkdirSync(control, { recursive: true });
  writeFileSync(
    join(control, 'control'),
    'Package: web-page\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: a page\n',
  );
  execFileSync(
    'dpkg-deb',
    ['--root-owner-group', '--build', join(dir, 'package'), join(dir, 'site/web-page.deb')],
    {
      stdio: 'pipe',
    },
  );
}

export interface Contents {
  /** `name version status` of every package. */
  readonly packages: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

/** What provisioners have left in a disk image, read without booting it. */
export async function contentsOf(image: string, paths: readonly string[]): Promise<Contents> {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-look-'));
  try {
    const host = createHost({ leaseDir: join(dir, 'leases') });
    const overlay = join(dir, 'overlay.qcow2');
    const size = JSON.parse(
      execFileSync('qemu-img', ['info', '--output=json', image], { encoding: 'utf8' }),
    ) as { 'virtual-size': number };
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', overlay, String(size['virtual-size'])]);
    mkdirSync(join(dir, 'mount'));
    await using mount = await host.mountDisk({
      disk: { path: overlay, format: 'qcow2', backing: { path: image, format: 'qcow2' } },
      dir: join(dir, 'mount'),
    });
    const read = (path: string): string => readFileSync(join(mount.target, path), 'utf8');
    const packages = [
      ...read('/var/lib/dpkg/status').matchAll(/^Package: (.+)\nStatus: (.+)\n(?:.+\n)*?Version: (.+)$/gm),
    ].map(([, name, status, version]) => `${name} ${version} ${status}`);
    return { packages, files: Object.fromEntries(paths.map((path) => [path, read(path)])) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
