// OpenBao on loopback, as an organisation has it: a secret, a CA, and an account for each server.
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { openBao } from '../openbao.mjs';
import { freePort } from '../free-port.mjs';
import { start, until } from './processes.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** QEMU's user network leads from here to the host's loopback. */
const HOST = '10.0.2.2';

/** OpenBao with a secret, a CA, and an account for each server, which may read the one and be certified by the other. */
export async function startOpenBao(hostnames, say) {
  const program = await openBao(root, say);
  const token = randomBytes(18).toString('base64url');
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  // Its development mode: in memory, unsealed, with a key-value engine at `secret`.
  start(
    program,
    ['server', '-dev', '-dev-no-store-token', `-dev-listen-address=127.0.0.1:${port}`, '-log-level=error'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, BAO_DEV_ROOT_TOKEN_ID: token },
    },
  );
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
  for (const hostname of hostnames) {
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
