import { chmodSync, symlinkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Rootfs } from '../../../src/core/rootfs.ts';
import { compareImages, type DiffSection, type ImageDiff } from '../../../src/scan/diff/compare.ts';
import { imageFacts } from '../../../src/scan/diff/facts.ts';
import { diffPage } from '../../../src/scan/diff/html.ts';
import { renderDiff } from '../../../src/scan/diff/render.ts';
import { debianImage } from '../image-tree.ts';

const WANTS = 'etc/systemd/system/multi-user.target.wants';

function image(
  packages: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
  units: readonly string[] = [],
): Rootfs {
  const root = debianImage(packages, { 'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n', ...more });
  mkdirSync(join(root.dir, WANTS), { recursive: true });
  for (const unit of units) symlinkSync(`/usr/lib/systemd/system/${unit}`, join(root.dir, WANTS, unit));
  return root;
}

function compare(before: Rootfs, after: Rootfs): ImageDiff {
  const side = (label: string, root: Rootfs) => ({ label, facts: imageFacts(root), sizes: {} });
  return compareImages(side('web@1', before), side('web@2', after));
}

function changes(diff: ImageDiff, title: DiffSection['title']): DiffSection['changes'] {
  return diff.sections.find((s) => s.title === title)?.changes ?? [];
}

describe('what differs between two images', () => {
  const before = () =>
    image(
      { curl: '7.88.1-9', bash: '5.2-2', gone: '1' },
      {
        'etc/motd': 'hello',
        'etc/same': 'x',
        'boot/grub/grub.cfg': 'menuentry x {\n  linux /boot/vmlinuz-6.1 root=LABEL=a quiet\n}\n',
      },
      ['ssh.service'],
    );
  const after = () => {
    const root = image(
      { curl: '7.88.1-10', bash: '5.2-1', fresh: '2' },
      {
        'etc/motd': 'world',
        'etc/same': 'x',
        'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nweb:x:999:999::/srv:/usr/sbin/nologin\n',
        'boot/grub/grub.cfg': 'menuentry x {\n  linux /boot/vmlinuz-6.1 root=LABEL=a\n}\n',
        'usr/lib/systemd/system/web.socket': '[Socket]\nListenStream=80\nListenStream=/run/web\n',
      },
      ['web.socket'],
    );
    chmodSync(join(root.dir, 'etc/same'), 0o4755);
    return root;
  };

  test('packages, with which way their versions went', () => {
    expect(changes(compare(before(), after()), 'packages')).toEqual([
      { name: 'deb bash:amd64', before: '5.2-2', after: '5.2-1', direction: 'older' },
      { name: 'deb curl:amd64', before: '7.88.1-9', after: '7.88.1-10', direction: 'newer' },
      { name: 'deb fresh:amd64', after: '2' },
      { name: 'deb gone:amd64', before: '1' },
    ]);
  });

  test('units, users, sockets, kernel command line', () => {
    const diff = compare(before(), after());
    expect(changes(diff, 'units')).toEqual([
      { name: 'ssh.service', before: 'enabled (multi-user.target)' },
      { name: 'web.socket', after: 'enabled (multi-user.target)' },
    ]);
    expect(changes(diff, 'users')).toEqual([{ name: 'web', after: '999:999 /srv /usr/sbin/nologin' }]);
    expect(changes(diff, 'sockets')).toEqual([{ name: 'web.socket', after: '80, /run/web' }]);
    expect(changes(diff, 'kernel command line')).toEqual([
      { name: '/boot/grub/grub.cfg vmlinuz-6.1', before: 'root=LABEL=a quiet', after: 'root=LABEL=a' },
    ]);
  });

  test('files of equal size by content, and modes', () => {
    const files = changes(compare(before(), after()), 'files');
    expect(files.find((f) => f.name === '/etc/motd')?.after).toMatch(/5 bytes, other content$/);
    expect(files.find((f) => f.name === '/etc/same')).toMatchObject({
      before: expect.stringMatching(/^0644/),
      after: expect.stringMatching(/^4755/),
    });
  });

  test('an image and itself are the same', () => {
    const diff = compare(before(), before());
    expect(diff.same).toBe(true);
    expect(renderDiff(diff)).toContain('Nothing differs.');
  });

  test('what cannot be read is told, not taken for equal', () => {
    const broken = image({}, { 'a/node_modules/x/package.json': '{' });
    expect(compare(broken, broken).notes).toEqual([
      expect.stringContaining('web@1: /a/node_modules/x/package.json'),
      expect.stringContaining('web@2: /a/node_modules/x/package.json'),
    ]);
  });
});

describe('shown', () => {
  const evil = 'etc/<script>alert(1)<\u202e\u001b[31m"&';
  const diff = compare(image({}), image({}, { [evil]: '' }));

  test('on a page that needs nothing else, names of files are text', () => {
    const page = diffPage(diff);
    expect(page).toContain('&lt;script&gt;alert(1)');
    expect(page).not.toMatch(/<script|https?:|\u202e|src=|@import/);
    expect(page).toContain('color-scheme:light dark');
  });

  test('on a terminal, names of files do not steer it', () => {
    for (const control of ['\u001b', '\u202e']) expect(renderDiff(diff)).not.toContain(control);
  });

  test('a long list of files ends on a terminal, and says so', () => {
    const many = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`srv/${i}`, 'x']));
    expect(renderDiff(compare(image({}), image({}, many)))).toMatch(
      /… and 50 more; --json and --html show all/,
    );
  });
});
