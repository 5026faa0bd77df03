import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { qemuSource } from '../../../src/sources/qemu.ts';
import { optionsOf } from '../../provisioners/options.ts';
import { type SourceContext, sourceContext } from '../oci/context.ts';

// Debian's installer as its package has it, on a disc with GRUB's menu: what is typed there makes it fetch its answers
// from us, and the machine's end says that it is done.

/** Debian's own, of which only the text installer is taken. */
const PACKAGE = 'debian-installer-12-netboot-amd64';
const IMAGES = './usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64';
// In `npm run test:faults` alone: the package is large, and an emulated installer takes its minutes.

describe.runIf(process.env.INGOT_FAULTS === 'long')('an installer', () => {
  let c: SourceContext;
  let server: Server;
  const asked: string[] = [];

  beforeAll(async () => {
    c = sourceContext('qemu.installed');
    execFileSync('apt-get', ['download', '-qq', PACKAGE], { cwd: c.dir, stdio: 'pipe' });
    const files = ['linux', 'initrd.gz'];
    const unpack = `dpkg-deb --fsys-tarfile ${PACKAGE}_*.deb | tar -xf - ${files.map((f) => `${IMAGES}/${f}`).join(' ')}`;
    execFileSync('sh', ['-c', unpack], { cwd: c.dir, stdio: 'pipe' });
    const disc = join(c.dir, 'disc');
    mkdirSync(join(disc, 'boot/grub'), { recursive: true });
    for (const file of files) copyFileSync(join(c.dir, IMAGES, file), join(disc, file));
    const menu = 'menuentry Install {\n  linux /linux --- quiet\n  initrd /initrd.gz\n}\n';
    writeFileSync(join(disc, 'boot/grub/grub.cfg'), menu);
    execFileSync('grub-mkrescue', ['-o', join(c.dir, 'installer.iso'), disc], { stdio: 'pipe' });
    server = createServer((request, response) => {
      asked.push(decodeURIComponent(request.url ?? ''));
      response.end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterAll(async () => {
    await new Promise((done) => server?.close(done));
    c?.[Symbol.dispose]();
  });

  test('boot_command types at its menu, its preseed comes from http_directory, and it runs to its end', async () => {
    const { port } = server.address() as AddressInfo;
    mkdirSync(join(c.dir, 'http'));
    const report = `wget -O /dev/null "http://10.0.2.2:${port}/$(uname -r)/$(sed 's/[ /]/+/g' /proc/cmdline)"`;
    writeFileSync(
      join(c.dir, 'http/preseed.cfg'),
      `d-i preseed/early_command string ${report}; poweroff -f\n`,
    );
    const options = await optionsOf(
      qemuSource,
      `iso_url = "installer.iso"
     iso_checksum = "none"
     http_directory = "http"
     communicator = "none"
     memory = 1024
     disk_size = "64M"
     accelerator = "tcg"
     boot_wait = "15s"
     boot_command = [
       "e<down><down><end><bs><bs><bs><bs><bs>",
       "console=ttyS0 auto=true priority=critical url=http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg<f10>",
     ]`,
    );
    const pinned = await qemuSource.pin(options, c.pin());
    const ctx = c.run();
    await using machine = await qemuSource.start(pinned.options, undefined, ctx);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(
      /^\/\d+\.\d+\.\d+-\d+-amd64\/BOOT_IMAGE=.*linux\+---\+console=ttyS0\+auto=true\+priority=critical\+url=http:\+\+10\.0\.2\.2:\d+\+preseed\.cfg/,
    );
    expect(machine.kind).toBe('vm');
  });
});
