// Servers of examples/postgres in QEMU: the image, what each is told, its disks, and its console.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-port.mjs';
import { ended, outputOf, start } from './processes.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const example = join(root, 'examples/postgres');
const ingot = join(root, 'bin/ingot');
const NETWORK = '10.77.0.0/24';
const PRIMARY = '10.77.0.1';
export const SERVERS = [
  { hostname: 'db1', role: 'primary', address: PRIMARY },
  { hostname: 'db2', role: 'replica', address: '10.77.0.2' },
];
const READY_MS = 15 * 60_000;

/** Builds the image; answers where its release has the disk. */
export async function build(say) {
  say('building the image');
  await ended(
    start(process.execPath, [ingot, 'build', example], { stdio: ['ignore', 'inherit', 'inherit'] }),
  );
  const found = outputOf(process.execPath, [ingot, 'lookup', 'postgres@dev', '--output', 'qcow2', '--json']);
  return JSON.parse(found).outputs[0].path;
}

/** Renders what a server is told, and starts its machine in a folder of `work`. `ports`: of the network between the two. */
export async function launch(server, { work, image, vault, ports, publicKey, say }) {
  const { hostname, role, address } = server;
  const folder = join(work, hostname);
  mkdirSync(folder, { recursive: true });
  const index = SERVERS.indexOf(server) + 1;
  const macs = { uplink_mac: `52:54:00:77:01:0${index}`, private_mac: `52:54:00:77:02:0${index}` };
  const values = {
    hostname,
    role,
    address,
    primary: PRIMARY,
    network: NETWORK,
    secrets: 'ref+vault://secret',
    vault: vault.address,
    ca: vault.ca,
    ssh_key: publicKey,
    ...macs,
  };
  writeFileSync(join(folder, 'values.json'), JSON.stringify(values));
  const seed = join(folder, 'seed.img');
  outputOf(process.execPath, [
    ingot,
    'render',
    join(example, 'launch'),
    '--values',
    join(folder, 'values.json'),
    '--seed',
    seed,
  ]);

  writeFileSync(join(folder, 'password'), vault.accounts[hostname], { mode: 0o600 });
  const identity = join(folder, 'identity.img');
  outputOf('mformat', ['-i', identity, '-C', '-T', '2048', '-v', 'IDENTITY', '::']);
  outputOf('mcopy', ['-i', identity, join(folder, 'password'), '::']);
  const disks = { system: join(folder, 'system.qcow2'), data: join(folder, 'data.qcow2') };
  outputOf('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', image, disks.system, '4G']);
  outputOf('qemu-img', ['create', '-q', '-f', 'qcow2', disks.data, '2G']);

  const ssh = await freePort();
  const drive = (id, file, format, more = '') => [
    '-drive',
    `if=none,id=${id},file=${file},format=${format},cache=unsafe`,
    '-device',
    `virtio-blk-pci,drive=${id}${more}`,
  ];
  const console = join(folder, 'console.log');
  const end = (which, port) => `${which}.type=inet,${which}.host=127.0.0.1,${which}.port=${port}`;
  const options = [
    '-machine q35,graphics=off -accel tcg,thread=multi -cpu max -smp 2 -m 768M -nodefaults -display none',
    '-device virtio-rng-pci',
    `-netdev user,id=uplink,hostfwd=tcp:127.0.0.1:${ssh}-:22`,
    `-device virtio-net-pci,netdev=uplink,mac=${macs.uplink_mac}`,
    `-netdev dgram,id=private,${end('local', ports[index - 1])},${end('remote', ports[2 - index])}`,
    `-device virtio-net-pci,netdev=private,mac=${macs.private_mac}`,
  ];
  const child = start('qemu-system-x86_64', [
    ...options.join(' ').split(' '),
    '-serial',
    `file:${console}`,
    ...drive('system', disks.system, 'qcow2', ',bootindex=1'),
    ...drive('data', disks.data, 'qcow2', ',serial=pgdata'),
    ...drive('seed', seed, 'raw'),
    ...drive('identity', identity, 'raw', ',serial=identity'),
  ]);
  say(`${hostname} is launched as ${role}; its console: ${console}`);
  return { ...server, ssh, console, child, power: performance.now() };
}

/**
 * Waits until its console says that it is ready, and says what it says meanwhile. Answers the seconds since power-on, those
 * since the kernel's start, and the stages that the machine tells, as it tells them (docs/first-boot.md).
 */
export async function untilReady(server, say) {
  const { hostname, console, child, power } = server;
  let told = '';
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the machine of ${hostname} ended`);
    const text = existsSync(console) ? readFileSync(console, 'utf8') : '';
    const panic = /Kernel panic[^\r\n]*/.exec(text);
    if (panic) throw new Error(`${hostname}: ${panic[0]}`);
    const [line = '', state, own] =
      [...text.matchAll(/ingot: (waiting|not ready|ready)(?:: .*| in ([\d.]+) s)/g)].at(-1) ?? [];
    if (line !== told) say(`${hostname}: ${line.trim()}`);
    told = line;
    const seconds = (performance.now() - power) / 1000;
    if (state === 'ready')
      return {
        hostname,
        seconds,
        own: Number(own),
        stages: /ingot: stages: (.*)/.exec(text)?.[1].trim() ?? '',
      };
    if (seconds * 1000 > READY_MS)
      throw new Error(`${hostname} was not ready in ${READY_MS / 60_000} minutes`);
    await sleep(200);
  }
}
