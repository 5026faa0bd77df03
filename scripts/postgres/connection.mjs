// Logins by SSH, to look at what a server has become.
import ssh2 from 'ssh2';
import { until } from './processes.mjs';

export function sshKey() {
  const { private: privateKey, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519');
  return { privateKey, publicKey };
}

export async function connect({ ssh, hostname }, privateKey) {
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

export function run(connection, command, { mayFail = false, input = '' } = {}) {
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

export async function sql(connection, statement) {
  return (await run(connection, `sudo -u postgres psql -Atqc ${quote(statement)}`)).trim();
}

export function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
