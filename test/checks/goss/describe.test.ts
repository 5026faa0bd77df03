import { expect, test } from 'vitest';
import {
  addToGossFile,
  describeAll,
  describeThing,
  fullName,
  imageAlone,
  withMachine,
} from '../../../src/checks/goss-add.ts';
import type { ExecResult } from '../../../src/core/machine.ts';
import { openRootfs } from '../../../src/host/rootfs.ts';
import { TempFolder } from './files.ts';
import { readFileSync } from 'node:fs';

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 0100007F:0050 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
`;
const TCP6 = `  sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4714 1 0 100 0 0 10 0
`;

/** Answers by what a command line holds; what is not said ends with 1. */
const machine = (answers: readonly (readonly [part: string, stdout: string])[]) => ({
  exec: (argv: readonly string[]): Promise<ExecResult> => {
    const answer = answers.find(([part]) => argv.join(' ').includes(part));
    return Promise.resolve({ exitCode: answer ? 0 : 1, stdout: answer?.[1] ?? '', stderr: '' });
  },
});

function image(folder: TempFolder): ReturnType<typeof openRootfs> {
  folder.write('etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
  folder.write('etc/group', 'root:x:0:\n');
  folder.write(
    'var/lib/dpkg/status',
    'Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22-1\n',
  );
  folder.write('usr/lib/systemd/system/nginx.service', '[Service]\n[Install]\nWantedBy=multi-user.target\n');
  return openRootfs(folder.dir);
}

test('autoadd finds the ports of a process by its sockets, as goss does', async () => {
  using folder = new TempFolder();
  const booted = machine([
    ['/comm 2>/dev/null; :', 'systemd\nnginx\n'],
    [
      'ls -l',
      'lrwx------ 1 root root 64 Jan 1 00:00 6 -> socket:[4711]\n 7 -> socket:[4714]\n 8 -> socket:[4713]\n',
    ],
    ['/proc/net/tcp6', TCP6],
    ['/proc/net/tcp ', TCP],
    ['is-active', ''],
  ]);
  const found = await describeAll('nginx', withMachine(image(folder), booted, 'container'));
  expect(found.map(({ type, name, described }) => [type, name, described])).toEqual([
    ['package', 'nginx', { installed: true, versions: ['1.22-1'] }],
    ['process', 'nginx', { running: true }],
    ['port', 'tcp:80', { listening: true, ip: ['0.0.0.0'] }],
    ['port', 'tcp6:80', { listening: true, ip: ['::'] }],
    ['service', 'nginx', { enabled: false, running: true }],
  ]);
  const file = `${folder.dir}/goss.yaml`;
  addToGossFile(file, found);
  expect(readFileSync(file, 'utf8')).toContain(
    'port:\n  tcp:80:\n    listening: true\n    ip:\n      - 0.0.0.0\n',
  );
});

test('a silent command is one that prints nothing, and names are as goss writes them', async () => {
  using folder = new TempFolder();
  const booted = machine([['-c echo', '!hi\n\n/x\n']]);
  const { system } = withMachine(image(folder), booted, 'container');
  expect(await describeThing('command', 'echo', system)).toEqual({
    'exit-status': 0,
    stdout: ['\\!hi', '\\/x'],
    stderr: '',
    timeout: 10_000,
  });
  const names = [
    ['port', '80'],
    ['port', 'udp:53'],
    ['addr', '10.0.0.1:22'],
    ['addr', 'udp://10.0.0.1:53'],
    ['user', '80'],
  ] as const;
  expect(names.map(([type, name]) => fullName(type, name))).toEqual([
    'tcp:80',
    'udp:53',
    'tcp://10.0.0.1:22',
    'udp://10.0.0.1:53',
    '80',
  ]);
});

test('autoadd finds a service that is neither enabled nor running', async () => {
  using folder = new TempFolder();
  const found = await describeAll('nginx', imageAlone(image(folder)));
  expect(found.filter(({ type }) => type === 'service').map(({ described }) => described)).toEqual([
    { enabled: false },
  ]);
  expect(await describeAll('apache2', imageAlone(openRootfs(folder.dir)))).toEqual([]);
});
