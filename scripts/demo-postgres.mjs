// npm run demo:postgres: builds examples/postgres, starts OpenBao on loopback, launches a primary and a replica of the one
// image in QEMU, writes on one and reads on the other, and says how long each stage took. Arguments:
//   --keep    leaves the machines running until Enter is pressed
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, quote, run, sql, sshKey } from './postgres/connection.mjs';
import { freePort } from './free-port.mjs';
import { until } from './postgres/processes.mjs';
import { writeBootPage } from './postgres/report.mjs';
import { build, example, launch, SERVERS, untilReady } from './postgres/servers.mjs';
import { startOpenBao } from './postgres/secrets.mjs';

const began = performance.now();
const say = (text) =>
  process.stdout.write(`${`[${((performance.now() - began) / 1000).toFixed(0)} s]`.padEnd(8)} ${text}\n`);
const work = mkdtempSync(join(tmpdir(), 'ingot-postgres-'));
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

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
  const names = SERVERS.map(({ hostname }) => hostname);
  const [image, vault] = await Promise.all([build(say), startOpenBao(names, say)]);
  const ports = [await freePort(), await freePort()];
  const { privateKey, publicKey } = sshKey();
  const servers = [];
  for (const server of SERVERS)
    servers.push(await launch(server, { work, image, vault, ports, publicKey, say }));
  const starts = await Promise.all(servers.map((server) => untilReady(server, say)));
  for (const [i, { seconds, own, stages }] of starts.entries())
    say(`${names[i]}, from power-on: firmware ${(seconds - own).toFixed(1)} s, ${stages}`);
  const page = join(example, 'output-postgres/boot.html');
  await writeBootPage(page, 'examples/postgres', starts, work);
  say(`drawn: ${page}`);

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
  say(`done; nobody logged in to configure anything`);
  if (process.argv.includes('--keep')) await keep(servers);
  primary.end();
  replica.end();
}

/** The password goes by standard input: sudo logs every command line. */
async function noSecretIn(connection, hostname, password) {
  const script =
    'umask 077; cat > /run/wanted; journalctl -o cat > /run/all.log; grep -rlsF -f /run/wanted /run/all.log /var/log /var/lib/cloud /etc; rm /run/wanted /run/all.log';
  const found = await run(connection, `sudo sh -c ${quote(script)}`, { input: password });
  if (found.trim() !== '') throw new Error(`${hostname} has the replication password in ${found.trim()}`);
  say(`${hostname} has the replication password neither in its journal and logs, nor in user-data or /etc`);
}

async function keep(servers) {
  for (const { hostname, ssh } of servers) say(`${hostname}: ssh -p ${ssh} debian@127.0.0.1`);
  say('press Enter to end the machines');
  await new Promise((done) => process.stdin.once('data', done));
}
