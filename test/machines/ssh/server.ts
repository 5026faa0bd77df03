import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { connect, type AddressInfo } from 'node:net';
import { Server, utils, type Connection } from 'ssh2';

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** Private key that is let in. */
  readonly key: string;
  /** Breaks all connections, as a restart does. */
  drop(): void;
  /** How often somebody came through to another host. */
  forwards: number;
}

/** A key in OpenSSH's form. */
export function newKey(): { readonly private: string; readonly public: string } {
  return utils.generateKeyPairSync('ed25519');
}

/** An SSH server that lets `tester` in with the password `right` or its key, and runs commands as this process. */
export async function startServer(): Promise<TestServer> {
  const key = newKey();
  const allowed = utils.parseKey(key.public);
  if (allowed instanceof Error) throw allowed;
  const hostKey = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  }).privateKey;
  const clients = new Set<Connection>();
  const server = new Server({ hostKeys: [hostKey] });
  const answer: TestServer = {
    port: 0,
    key: key.private,
    forwards: 0,
    drop: () => clients.forEach((client) => client.end()),
    async [Symbol.asyncDispose]() {
      answer.drop();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
  server.on('connection', (client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client)).on('error', () => {});
    client.on('authentication', (attempt) => {
      const right =
        attempt.username === 'tester' &&
        ((attempt.method === 'password' && attempt.password === 'right') ||
          (attempt.method === 'publickey' && attempt.key.data.equals(allowed.getPublicSSH())));
      if (right) attempt.accept();
      else attempt.reject(['password', 'publickey']);
    });
    client.on('tcpip', (accept, _reject, { destIP, destPort }) => {
      answer.forwards++;
      const socket = connect(destPort, destIP);
      const channel = accept();
      socket.pipe(channel).pipe(socket);
      socket.on('error', () => channel.close());
      channel.on('error', () => socket.destroy());
    });
    client.on('session', (accept) => {
      accept().on('exec', (start, _reject, { command }) => {
        const channel = start();
        const child = spawn('/bin/sh', ['-c', command], { stdio: 'pipe', detached: true });
        channel.pipe(child.stdin);
        child.stdin.on('error', () => {});
        child.stdout.pipe(channel, { end: false });
        child.stderr.pipe(channel.stderr, { end: false });
        channel.on('close', () => {
          if (child.exitCode === null) process.kill(-(child.pid as number), 'SIGKILL');
        });
        child.on('close', (code) => {
          channel.exit(code ?? 128);
          channel.end();
        });
      });
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()));
  return Object.assign(answer, { port: (server.address() as AddressInfo).port });
}
