#!/usr/bin/env node
// Gets this server a certificate from Vault's PKI engine, and writes it where PostgreSQL looks for it: in memory. Tries
// until it works, since a server must not start with an old one.
import { chmodSync, chownSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const FOLDER = '/run/postgresql-tls';
const env = Object.fromEntries(
  readFileSync('/etc/ingot/agent.env', 'utf8')
    .split('\n')
    .filter((line) => /^[A-Z_]+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);
const { address } = JSON.parse(readFileSync('/etc/ingot/instance.json', 'utf8'));
const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
// A slow processor takes seconds to load what `fetch` needs.
const { request } = await import(env.VAULT_ADDR.startsWith('https:') ? 'node:https' : 'node:http');

for (let pause = 1; ; pause = Math.min(15, pause * 2)) {
  try {
    await renew();
    break;
  } catch (error) {
    console.error(`no certificate yet: ${error.message}`);
    await sleep(pause * 1000);
  }
}

async function renew() {
  const password = readFileSync(env.VAULT_PASSWORD_FILE, 'utf8').trim();
  const { auth } = await post(`auth/userpass/login/${env.VAULT_USERNAME}`, { password });
  const names = { common_name: hostname(), ip_sans: address, ttl: '72h' };
  const { data } = await post('pki/issue/postgres', names, auth.client_token);
  mkdirSync(FOLDER, { recursive: true, mode: 0o755 });
  write('key.pem', `${data.private_key}\n`);
  write('certificate.pem', `${data.certificate}\n`);
  console.log(`certificate ${data.serial_number}`);
}

function write(name, text) {
  const temporary = `${FOLDER}/.${name}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  chownSync(temporary, Number(uid), Number(gid));
  renameSync(temporary, `${FOLDER}/${name}`);
}

async function post(path, body, token) {
  const headers = { 'content-type': 'application/json', ...(token && { 'x-vault-token': token }) };
  const options = { method: 'POST', headers, signal: AbortSignal.timeout(10_000) };
  const answer = await new Promise((resolve, reject) => {
    const asked = request(`${env.VAULT_ADDR}/v1/${path}`, options, resolve);
    asked.on('error', reject).end(JSON.stringify(body));
  });
  let text = '';
  for await (const part of answer.setEncoding('utf8')) text += part;
  if (answer.statusCode !== 200) throw new Error(`${path} was answered with status ${answer.statusCode}`);
  return JSON.parse(text);
}
