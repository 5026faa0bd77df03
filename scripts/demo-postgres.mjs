// npm run demo:postgres: builds examples/postgres, starts OpenBao on loopback, launches a primary and a replica of the one
// image in QEMU, writes on one and reads on the other, and says how long each stage took. Arguments:
//   --keep    leaves the machines running until Enter is pressed
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import ssh2 from 'ssh2';
import { openBao } from './openbao.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const example = join(root, 'examples/postgres');
const ingot = join(root, 'bin/ingot');
/** QEMU's user network leads from here to the host's loopback. */
const HOST = '10.0.2.2';
const NETWORK = '10.77.0.0/24';
const PRIMARY = '10.77.0.1';
const SERVERS = [
  { hostname: 'db1', role: 'primary', address: PRIMARY },
  { hostname: 'db2', role: 'replica', address: '10.77.0.2' },
];
const READY_MS = 15 * 60_000;

const began = performance.now();
const say = (text) =>
  process.stdout.write(`${`[${((performance.now() - began) / 1000).toFixed(0)} s]`.padEnd(8)} ${text}\n`);
const children = [];
const work = mkdtempSync(join(tmpdir(), 'ingot-postgres-'));
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(work, { recursive: true, force: true });
});

try {
  await main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  for (const { hostname } of SERVERS) {
    const console = join(work, hostname, 'console.log');
    if (existsSync(console))
      process.stderr.write(`\n${hostname}, at the end:\n${readFileSync(console, 'utf8').slice(-1500)}\n`);
  }
  process.exit(1);
}
process.exit(0);

async function main() {
  const image = build();
  const vault = await startVault();
  const ports = [await freePort(), await freePort()];
  const { privateKey, publicKey } = sshKey();
  const servers = [];
  for (const server of SERVERS) servers.push(await launch(server, { image, vault, ports, publicKey }));
  await Promise.all(servers.map(untilReady));

  const [primary, replica] = await Promise.all(servers.map((server) => connect(server, privateKey)));
  say('writing on db1');
  await sql(
    primary,
    "CREATE TABLE greeting (text text); INSERT INTO greeting VALUES ('written on the primary')",
  );
  const text = await until(
    () => sql(replica, 'SELECT text FROM greeting'),
    (answer) => answer === 'written on the primary',
  );
  say(`read on db2: ${text}`);
  say(
    `db1 streams to: ${await sql(primary, "SELECT application_name || ', ' || state || ', ' || (SELECT version FROM pg_stat_ssl s WHERE s.pid = r.pid) FROM pg_stat_replication r")}`,
  );
  const refused = await run(replica, `sudo -u postgres psql -Atc "INSERT INTO greeting VALUES ('x')"`, {
    mayFail: true,
  });
  say(`db2 takes no writes: ${refused.trim().split('\n').at(-1)}`);

  const serial = () =>
    run(primary, 'sudo openssl x509 -noout -serial -in /run/postgresql-tls/certificate.pem');
  const before = await serial();
  await run(primary, 'sudo systemctl restart postgresql@15-main');
  const after = await serial();
  if (before === after) throw new Error(`the certificate was not renewed: ${after}`);
  say(
    `a restart renewed the certificate: ${before.trim().slice(7, 25)}… is now ${after.trim().slice(7, 25)}…`,
  );
  for (const [connection, { hostname }] of [
    [primary, SERVERS[0]],
    [replica, SERVERS[1]],
  ])
    await noSecretIn(connection, hostname, vault.password);
  await stages(primary);
  say(`done; nobody logged in to configure anything`);
  if (process.argv.includes('--keep')) await keep(servers);
  primary.end();
  replica.end();
}

/** The image, from its release. */
function build() {
  say('building the image');
  const { status } = spawnSync(process.execPath, [ingot, 'build', example], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  const found = run1(process.execPath, [ingot, 'lookup', 'postgres@dev', '--output', 'qcow2', '--json']);
  return JSON.parse(found).outputs[0].path;
}

/** OpenBao with a secret, a CA, and an account for each server, which may read the one and be certified by the other. */
async function startVault() {
  const program = openBao(root, say);
  const token = randomBytes(18).toString('base64url');
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  // Its development mode: in memory, unsealed, with a key-value engine at `secret`.
  start(program, ['server', '-dev', '-dev-no-store-token', `-dev-listen-address=127.0.0.1:${port}`], {
    BAO_DEV_ROOT_TOKEN_ID: token,
  });
  await until(async () => (await fetch(`${address}/v1/sys/health`)).ok, Boolean, 'OpenBao');
  const api = async (path, body, method = 'POST') => {
    const answer = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': token },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`OpenBao: ${path}: ${text}`);
    return text === '' ? {} : JSON.parse(text).data;
  };
  const password = randomBytes(18).toString('base64url');
  await api('sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '87600h' } });
  // Version 2 of the key-value engine is upgraded in the background.
  await until(() => api('secret/data/replication', { data: { password } }).catch(() => undefined), Boolean);
  const { certificate } = await api('pki/root/generate/internal', {
    common_name: 'Example CA',
    ttl: '87600h',
  });
  await api('pki/roles/postgres', {
    allow_any_name: true,
    enforce_hostnames: false,
    allow_ip_sans: true,
    max_ttl: '72h',
  });
  await api('sys/policies/acl/postgres', {
    policy:
      'path "secret/data/replication" { capabilities = ["read"] }\npath "pki/issue/postgres" { capabilities = ["update"] }',
  });
  await api('sys/auth/userpass', { type: 'userpass' });
  const accounts = {};
  for (const { hostname } of SERVERS) {
    accounts[hostname] = randomBytes(18).toString('base64url');
    await api(`auth/userpass/users/${hostname}`, {
      password: accounts[hostname],
      token_policies: 'postgres',
    });
  }
  const { version } = await (await fetch(`${address}/v1/sys/health`)).json();
  say(`OpenBao ${version} answers on ${address}`);
  return { address: `http://${HOST}:${port}`, ca: certificate, accounts, password };
}

/** Renders what a server is told, and starts its machine. */
async function launch(server, { image, vault, ports, publicKey }) {
  const { hostname, role, address } = server;
  const folder = join(work, hostname);
  mkdirSync(folder);
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
  run1(process.execPath, [
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
  run1('mformat', ['-i', identity, '-C', '-T', '2048', '-v', 'IDENTITY', '::']);
  run1('mcopy', ['-i', identity, join(folder, 'password'), '::']);
  const disks = { system: join(folder, 'system.qcow2'), data: join(folder, 'data.qcow2') };
  run1('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', image, disks.system, '4G']);
  run1('qemu-img', ['create', '-q', '-f', 'qcow2', disks.data, '2G']);

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
    '-machine q35,graphics=off -accel tcg,thread=multi -cpu max -smp 1 -m 768M -nodefaults -display none',
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

async function untilReady(server) {
  const { hostname, console, child, power } = server;
  let told = '';
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the machine of ${hostname} ended`);
    const text = existsSync(console) ? readFileSync(console, 'utf8') : '';
    const line =
      text
        .match(/ingot: (?!the first).*/g)
        ?.at(-1)
        ?.trim() ?? '';
    if (line !== told) say(`${hostname}: ${line}`);
    told = line;
    if (line.startsWith('ingot: ready')) return;
    if (performance.now() - power > READY_MS)
      throw new Error(`${hostname} was not ready in ${READY_MS / 60_000} minutes`);
    await sleep(1000);
  }
}

/** Seconds from power-on to the end of each stage, by the machine's own clock. */
async function stages(connection) {
  const units = ['cloud-init-local', 'cloud-init', 'ingot-first-boot', 'postgresql@15-main', 'ingot-ready'];
  const out = await run(
    connection,
    `for u in ${units.join(' ')}; do systemctl show -P InactiveExitTimestampMonotonic -P ActiveEnterTimestampMonotonic $u | tr '\\n' ' '; echo $u; done`,
  );
  for (const line of out.trim().split('\n')) {
    const [from, to, unit] = line.split(' ');
    say(
      `db1 ${unit.padEnd(20)} from ${(from / 1e6).toFixed(1)} s to ${(to / 1e6).toFixed(1)} s after the kernel's start`,
    );
  }
}

/** The password goes by standard input: sudo logs every command line. */
async function noSecretIn(connection, hostname, password) {
  const script =
    'umask 077; cat > /run/wanted; journalctl -o cat > /run/all.log; grep -rlsF -f /run/wanted /run/all.log /var/log /var/lib/cloud /etc; rm /run/wanted /run/all.log';
  const found = await run(connection, `sudo sh -c ${quote(script)}`, { input: password });
  if (found.trim() !== '') throw new Error(`${hostname} has the replication password in ${found.trim()}`);
  say(`${hostname} has the replication password neither in its journal and logs, nor in user-data or /etc`);
}

async function sql(connection, statement) {
  return (await run(connection, `sudo -u postgres psql -Atqc ${quote(statement)}`)).trim();
}

function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

async function connect({ ssh, hostname }, privateKey) {
  return await until(
    () =>
      new Promise((done) => {
        const client = new ssh2.Client();
        client.on('ready', () => done(client)).on('error', () => done(undefined));
        client.connect({
          host: '127.0.0.1',
          port: ssh,
          username: 'debian',
          privateKey,
          readyTimeout: 60_000,
        });
      }),
    Boolean,
    `SSH of ${hostname}`,
  );
}

function run(connection, command, { mayFail = false, input = '' } = {}) {
  return new Promise((done, fail) => {
    connection.exec(command, (error, stream) => {
      if (error) return fail(error);
      let out = '';
      let err = '';
      stream.on('data', (chunk) => (out += chunk));
      stream.stderr.on('data', (chunk) => (err += chunk));
      stream.on('close', (code) => {
        if (mayFail) done(err);
        else if (code === 0) done(out);
        else fail(new Error(`${command}: ${err}`));
      });
      stream.end(input);
    });
  });
}

async function until(ask, isGood, what = 'an answer') {
  for (let tries = 0; tries < 60; tries++) {
    const answer = await Promise.resolve(ask()).catch(() => undefined);
    if (answer !== undefined && isGood(answer)) return answer;
    await sleep(1000);
  }
  throw new Error(`${what} did not come within a minute`);
}

function sshKey() {
  const { private: privateKey, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519');
  return { privateKey, publicKey };
}

function start(command, args, environment = {}) {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...environment },
  });
  children.push(child);
  return child;
}

function run1(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function freePort() {
  return new Promise((done) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

async function keep(servers) {
  for (const { hostname, ssh } of servers) say(`${hostname}: ssh -p ${ssh} debian@127.0.0.1`);
  say('press Enter to end the machines');
  await new Promise((done) => process.stdin.once('data', done));
}
