import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { proveSealed, sealImage, sealOperations, sealSpec } from '../../src/seal/index.ts';
import { imageOf, sealContext, type Tree, treeOf } from './tree.ts';

/** Something for most operations. */
const used: Tree = {
  '/etc/hostname': 'builder\n',
  '/etc/hosts': '127.0.0.1 localhost\n127.0.1.1 builder\n',
  '/etc/machine-id': 'f00\n',
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
  '/etc/passwd-': 'root:x:0:0::/root:/bin/sh\n',
  '/etc/ssh/ssh_host_rsa_key': 'k',
  '/etc/udev/rules.d/70-persistent-net.rules': 'x',
  '/lib/systemd/system/a.service': '[Install]\nWantedBy=multi-user.target\n',
  '/lib/systemd/system/systemd-firstboot.service': '[Service]\n',
  '/lib/systemd/systemd': 'x',
  '/root/.bash_history': 'secret\n',
  '/root/.ssh/authorized_keys': 'ssh-ed25519 AAAA builder\n',
  '/run/x': 'x',
  '/tmp/packer/x': 'x',
  '/usr/bin/ssh-keygen': 'x',
  '/usr/bin/systemctl': 'x',
  '/usr/sbin/sshd': 'x',
  '/var/cache/apt/pkgcache.bin': 'x',
  '/var/crash/x': 'x',
  '/var/lib/cloud/data/x': 'x',
  '/var/lib/dhcp/a.leases': 'x',
  '/var/lib/systemd/credential.secret': 'x',
  '/var/lib/systemd/random-seed': 'x',
  '/var/lib/ingot/first-boot.done': 'x',
  '/var/lib/waagent/x': 'x',
  '/var/log/dpkg.log': 'x',
  '/var/log/journal/f00/system.journal': 'x',
  '/var/mail/root': 'x',
};

describe('sealImage', () => {
  test('leaves nothing, and sealing again does nothing', async () => {
    const root = imageOf(used);
    expect([...new Set(proveSealed(root).map((f) => f.operation))]).toEqual(
      sealOperations.map((o) => o.name),
    );
    const first = await sealImage(root, { skip: [] }, sealContext());
    expect(proveSealed(root)).toEqual([]);
    const sealed = treeOf(root);
    const second = await sealImage(root, { skip: [] }, sealContext());
    expect(second.operations.flatMap((o) => o.removed)).toEqual([]);
    expect(treeOf(root)).toEqual(sealed);
    expect(first.operations.map((o) => o.name)).toEqual(sealOperations.map((o) => o.name));
  });

  test('reports what each removed, and notes it', async () => {
    const notes: string[] = [];
    const report = await sealImage(imageOf(used), { skip: [] }, sealContext(notes));
    const histories = report.operations.find((o) => o.name === 'histories');
    expect(histories?.removed).toEqual([
      { path: '/root/.bash_history', action: 'removed', files: 1, bytes: 7 },
    ]);
    expect(notes).toContain('histories: 1 files removed, 0.0 MB');
    expect(report.summary).toMatch(/^\d+ files removed, \d+ written, 0\.0 MB$/);
  });

  test.each(sealOperations.map((o) => o.name))('%s can be skipped', async (name) => {
    const root = imageOf(used);
    const report = await sealImage(root, { skip: [name] }, sealContext());
    expect(report.operations.filter((o) => o.skipped).map((o) => o.name)).toEqual([name]);
    expect(report.operations.find((o) => o.name === name)?.removed).toEqual([]);
    expect(proveSealed(root, [name])).toEqual([]);
  });

  test('can be switched off', async () => {
    const root = imageOf(used);
    expect((await sealImage(root, { enabled: false, skip: [] }, sealContext())).summary).toBe('switched off');
    expect(treeOf(root)).toEqual(used);
  });

  test('an unknown name is refused before anything is touched, with the nearest', async () => {
    const root = imageOf(used);
    await expect(sealImage(root, { skip: ['histroies'] }, sealContext())).rejects.toMatchObject({
      code: 'seal/unknown-operation',
      hint: 'Did you mean "histories"?',
    });
    expect(treeOf(root)).toEqual(used);
    expect(sealSpec.check?.({ enabled: true, skip: ['logs', 'mailspool'] } as never)).toMatchObject([
      { path: ['skip', 1], hint: 'Did you mean "mail-spool"?' },
    ]);
  });

  test('what an operation leaves behind fails the build and is named', async () => {
    const root = imageOf({ '/root/.bash_history': 'x' });
    const stubborn = Object.assign(root, { remove: () => ({ files: 1, bytes: 1 }) });
    await expect(sealImage(stubborn, { skip: [] }, sealContext())).rejects.toMatchObject({
      code: 'seal/not-sealed',
      output: ['histories: /root/.bash_history is still there'],
    });
  });

  test('stops when it is cancelled', async () => {
    const root = imageOf(used);
    const ctx = { ...sealContext(), signal: AbortSignal.abort(new Error('stop')) };
    await expect(sealImage(root, { skip: [] }, ctx)).rejects.toThrow('stop');
    expect(treeOf(root)).toEqual(used);
  });

  test('what it writes does not depend on the umask', async () => {
    const modes = async (umask: number): Promise<unknown> => {
      const root = imageOf(used);
      const before = process.umask(umask);
      try {
        await sealImage(root, { skip: [] }, sealContext());
      } finally {
        process.umask(before);
      }
      return ['/etc/machine-id', '/etc/systemd/system-preset/00-ingot.preset', '/etc/hostname'].map(
        (path) => (root.lstat(path)?.mode ?? 0) & 0o7777,
      );
    };
    expect(await modes(0o077)).toEqual([0o444, 0o644, 0o644]);
    expect(await modes(0)).toEqual([0o444, 0o644, 0o644]);
  });
});

describe('a hostile image', () => {
  /** Paths that operations read, write or remove, or that lie on the way. */
  const targets = [
    '/etc',
    '/etc/hostname',
    '/etc/hosts',
    '/etc/machine-id',
    '/etc/passwd',
    '/etc/ssh',
    '/etc/netplan/a.yaml',
    '/etc/resolv.conf',
    '/etc/systemd',
    '/etc/systemd/system',
    '/etc/systemd/system-preset',
    '/etc/systemd/system-preset/00-ingot.preset',
    '/etc/systemd/system/multi-user.target.wants',
    '/home/eve',
    '/home/eve/.ssh',
    '/lib/systemd',
    '/root',
    '/root/.ssh',
    '/run',
    '/run/lock',
    '/tmp',
    '/usr/lib',
    '/usr/lib/systemd/system',
    '/var',
    '/var/backups',
    '/var/cache/apt/archives',
    '/var/crash',
    '/var/lib/apt/lists',
    '/var/lib/cloud',
    '/var/lib/dbus/machine-id',
    '/var/lib/waagent',
    '/var/log',
    '/var/log/journal',
    '/var/log/wtmp',
    '/var/mail',
    '/var/spool/exim4/input',
  ];

  test('with links to places of the host never reaches them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ path: fc.constantFrom(...targets), file: fc.boolean(), up: fc.nat(12) }), {
          selector: (link) => link.path,
          maxLength: 8,
        }),
        async (links) => {
          const outside = mkdtempSync(join(tmpdir(), 'ingot-sentinel-'));
          writeFileSync(join(outside, 'authorized_keys'), 'mine');
          const hostile: Record<string, string> = {};
          for (const { path, file, up } of links) {
            const target = `${up > 6 ? '' : '../'.repeat(up * 3)}${outside}${file ? '/authorized_keys' : ''}`;
            hostile[path] = `-> ${target}`;
          }
          const paths = Object.keys(hostile);
          // A path below a link cannot be made.
          const rest = Object.entries({ ...used, ...hostile }).filter(
            ([path]) => !paths.some((link) => path !== link && path.startsWith(`${link}/`)),
          );
          try {
            await sealImage(imageOf(Object.fromEntries(rest)), { skip: [] }, sealContext()).catch(
              () => undefined,
            );
            expect(readdirSync(outside)).toEqual(['authorized_keys']);
            expect(readFileSync(join(outside, 'authorized_keys'), 'utf8')).toBe('mine');
          } finally {
            rmSync(outside, { recursive: true });
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('with a user whose home is not below the root stays in the root', async () => {
    const root = imageOf({
      '/etc/passwd': 'a:x:0:0::/../../../../tmp:/x\nb:x:0:0::relative:/x\nc\n',
      '/tmp/.ssh/id_rsa': 'x',
    });
    await sealImage(root, { skip: ['temporary-files'] }, sealContext());
    expect(root.lstat('/tmp/.ssh/id_rsa')).toBeUndefined();
  });
});
