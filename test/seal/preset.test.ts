import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { presetText } from '../../src/seal/preset.ts';
import { mergeInstall, readInstall } from '../../src/seal/unit-install.ts';
import { imageOf, type Tree } from './tree.ts';

const lib = '/usr/lib/systemd/system';
const etc = '/etc/systemd/system';
const wanted = '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n';
const wants = (name: string, target = 'multi-user.target'): Tree => ({
  [`${etc}/${target}.wants/${name}`]: `-> ${lib}/${name}`,
});

/** Directives for an image's system units, without comments and without the last line. */
function directives(tree: Tree): string[] {
  const lines = presetText(imageOf(tree), 'system').split('\n');
  expect(lines.slice(-2)).toEqual(['disable *', '']);
  return lines.slice(0, -2).filter((line) => !line.startsWith('#'));
}

const cases: readonly (readonly [what: string, tree: Tree, expected: readonly string[]])[] = [
  ['a unit with its link', { [`${lib}/a.service`]: wanted, ...wants('a.service') }, ['enable a.service']],
  ['a unit without', { [`${lib}/a.service`]: wanted }, []],
  [
    'a unit in /lib',
    { '/lib/systemd/system/a.service': wanted, ...wants('a.service') },
    ['enable a.service'],
  ],
  [
    'a masked unit, linked or empty',
    {
      [`${lib}/a.service`]: wanted,
      [`${etc}/a.service`]: '-> /dev/null',
      ...wants('a.service'),
      [`${etc}/b.service`]: '',
      ...wants('b.service'),
    },
    [],
  ],
  [
    'an alias, which is named by its unit',
    {
      [`${lib}/ssh.service`]: `${wanted}Alias=sshd.service\n`,
      ...wants('ssh.service'),
      [`${etc}/sshd.service`]: `-> ${lib}/ssh.service`,
    },
    ['enable ssh.service'],
  ],
  [
    'a unit whose alias is missing',
    { [`${lib}/ssh.service`]: `${wanted}Alias=sshd.service\n`, ...wants('ssh.service') },
    [],
  ],
  [
    'a unit that would enable another, which is disabled',
    {
      [`${lib}/net.service`]: `${wanted}Also=wait.service\n`,
      [`${lib}/wait.service`]: wanted,
      ...wants('net.service'),
    },
    [],
  ],
  [
    'a unit that would enable another, which is masked',
    {
      [`${lib}/net.service`]: `${wanted}Also=wait.service\n`,
      [`${etc}/wait.service`]: '-> /dev/null',
      ...wants('net.service'),
    },
    ['enable net.service'],
  ],
  [
    'units that name each other',
    {
      [`${lib}/a.service`]: `${wanted}Also=b.service\n`,
      [`${lib}/b.service`]: `${wanted}Also=a.service\n`,
      ...wants('a.service'),
      ...wants('b.service'),
    },
    ['enable a.service', 'enable b.service'],
  ],
  [
    'instances of a template',
    {
      [`${lib}/getty@.service`]: '[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n',
      [`${etc}/getty.target.wants/getty@tty1.service`]: `-> ${lib}/getty@.service`,
      [`${etc}/getty.target.wants/getty@ttyS0.service`]: `-> ${lib}/getty@.service`,
    },
    ['enable getty@.service tty1 ttyS0'],
  ],
  [
    'a template whose default instance is disabled',
    { [`${lib}/getty@.service`]: '[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n' },
    [],
  ],
  [
    'specifiers of an instance',
    {
      [`${lib}/grow@.service`]: '[Install]\nRequiredBy=dev-%i.mount\nAlias=%p-of-%i.service\n',
      [`${etc}/dev-sda1.mount.requires/grow@sda1.service`]: `-> ${lib}/grow@.service`,
      [`${etc}/grow-of-sda1.service`]: `-> ${lib}/grow@.service`,
    },
    ['enable grow@.service sda1'],
  ],
  [
    'specifiers that only the running machine knows',
    {
      [`${lib}/a.service`]: '[Install]\nWantedBy=multi-user.target\nAlias=a-%H.service\n',
      ...wants('a.service'),
    },
    [],
  ],
  [
    'a linked unit from elsewhere',
    {
      '/opt/x/a.service': wanted,
      [`${etc}/a.service`]: '-> /opt/x/a.service',
      [`${etc}/multi-user.target.wants/a.service`]: '-> /opt/x/a.service',
    },
    ['enable a.service'],
  ],
  [
    'what set-default and add-wants link, though nothing would be installed',
    {
      [`${lib}/multi-user.target`]: '[Unit]\n',
      [`${etc}/default.target`]: `-> ${lib}/multi-user.target`,
      [`${lib}/a.service`]: '[Service]\n',
      ...wants('a.service'),
    },
    ['enable a.service', 'enable multi-user.target'],
  ],
  [
    'a drop-in that moves a unit',
    {
      [`${lib}/a.service`]: wanted,
      [`${etc}/a.service.d/1.conf`]: '[Install]\nWantedBy=\nWantedBy=x.target\n',
      ...wants('a.service', 'x.target'),
    },
    ['enable a.service'],
  ],
  [
    '/etc before /usr/lib',
    {
      [`${lib}/a.service`]: wanted,
      [`${etc}/a.service`]: '[Install]\nWantedBy=x.target\n',
      ...wants('a.service'),
    },
    [],
  ],
  [
    'an escaped name',
    { [`${lib}/a\\x2db.mount`]: wanted, ...wants('a\\x2db.mount') },
    ['enable a\\x2db.mount'],
  ],
  [
    'names that are no units',
    { [`${lib}/x.conf`]: wanted, [`${etc}/multi-user.target.wants/x y.service`]: '-> /a' },
    [],
  ],
  [
    'a unit that is always on',
    { [`${lib}/a.service`]: '[Service]\n', [`${lib}/multi-user.target.wants/a.service`]: '-> ../a.service' },
    [],
  ],
];

describe('presets', () => {
  test.each(cases)('%s', (_what, tree, expected) => expect(directives(tree)).toEqual(expected));

  test('say which units are enabled in part, which a first boot leaves alone', () => {
    const tree = { [`${lib}/a.service`]: `${wanted}WantedBy=x.target\n`, ...wants('a.service') };
    expect(presetText(imageOf(tree), 'system')).toContain('# a.service is enabled in part');
    const version = (n: string): Tree => ({
      [`/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-${n}.so`]: 'x',
    });
    expect(directives({ ...tree, ...version('252') })).toEqual([]);
    expect(directives({ ...tree, ...version('257.4-1') })).toEqual(['ignore a.service']);
  });

  test('of users come from their own folders', () => {
    const root = imageOf({
      '/usr/lib/systemd/user/a.timer': '[Install]\nWantedBy=timers.target\n',
      '/etc/systemd/user/timers.target.wants/a.timer': '-> /usr/lib/systemd/user/a.timer',
    });
    expect(presetText(root, 'user')).toContain('\nenable a.timer\n');
    expect(presetText(root, 'system')).not.toContain('enable a.timer');
  });
});

describe('[Install]', () => {
  test('is read as systemd reads it: sections, comments, joined lines, resets', () => {
    const text =
      '[Unit]\nWantedBy=no\n[Install]\n# WantedBy=no\nWantedBy=a.target \\\n; between\n  b.target\nAlso=x.service\nAlso=\nAlias = c.service\n[Service]\nAlias=no\n';
    expect(mergeInstall([readInstall(text)])).toEqual({
      wantedBy: ['a.target', 'b.target'],
      requiredBy: [],
      upheldBy: [],
      alias: ['c.service'],
      also: ['x.service'],
    });
  });

  test('of any text is read without failing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { also } = mergeInstall([readInstall(`[Install]\n${text}`)]);
        expect(also.every((word) => !/\s/.test(word))).toBe(true);
      }),
    );
  });
});
