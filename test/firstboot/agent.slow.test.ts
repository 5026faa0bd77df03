import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PATHS } from '../../src/firstboot/paths.ts';
import { root as checkout } from '../project/source-files.ts';
import { type Server, startServer, vaultServer } from '../secrets/real-tools.ts';
import { file } from './agent-machine.ts';

const vault = vaultServer();

let folder: string;
let system: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-node18-'));
  system = join(folder, 'root');
  const packages = '--include=nodejs,ca-certificates';
  execFileSync('mmdebstrap', ['--quiet', '--variant=essential', packages, 'bookworm', system], {
    stdio: 'pipe',
  });
  mkdirSync(join(system, 'usr/lib/ingot'), { recursive: true });
  const agent = join(folder, 'agent.mjs');
  execFileSync(process.execPath, [join(checkout, 'scripts/build-agent.mjs'), agent]);
  cpSync(agent, join(system, PATHS.agent));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const put = (path: string, text: string, mode = 0o600): void => {
  mkdirSync(dirname(join(system, path)), { recursive: true });
  writeFileSync(join(system, path), text, { mode });
};

function run(...args: string[]) {
  return spawnSync('chroot', [system, 'node', PATHS.agent, ...args], { encoding: 'utf8', timeout: 60_000 });
}

describe("the agent on Debian 12's own Node", () => {
  test('is run by Node 18', () => {
    expect(execFileSync('chroot', [system, 'node', '--version'], { encoding: 'utf8' })).toMatch(/^v18\./);
    expect(run('help')).toMatchObject({ status: 0 });
    expect(run('nonsense')).toMatchObject({ status: 2 });
  });

  test('loads every backend', () => {
    put('/key.json', '{"a": 1}');
    for (const backend of [
      'awssecrets',
      'awskms',
      's3',
      'gcs',
      'gkms',
      'azurekeyvault',
      'k8s',
      'sops',
      'tfstate',
      'consul',
    ]) {
      const { stderr } = run('get', `ref+${backend}://x/y#/z`);
      expect(stderr, backend).toMatch(/^ingot-agent: /);
      expect(stderr, backend).not.toMatch(/is not a function|is not defined|undefined/);
    }
  });
});

describe.skipIf(vault.missing)(`with Vault${vault.missing ? ` (skipped: ${vault.missing})` : ''}`, () => {
  let server: Server;
  let address: string;
  let token: string;

  beforeAll(async () => {
    server = await startServer(vault.path, [], (text) => text.endsWith('\n'));
    [address = '', token = ''] = server.output().trim().split(' ');
    await api('sys/mounts/kv', { type: 'kv', options: { version: '1' } });
    await api('kv/app', { password: 'hunter2', pem: '-----BEGIN\nMII\n-----END' });
    await api('sys/policies/acl/app', { policy: 'path "kv/app" { capabilities = ["read"] }' });
  }, 120_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  async function api(path: string, body: object): Promise<Record<string, any>> {
    const answer = await fetch(`${address}/v1/${path}`, {
      method: 'POST',
      headers: { 'x-vault-token': token },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    const text = await answer.text();
    return text === '' ? {} : (JSON.parse(text) as Record<string, any>);
  }

  const configure = (template: string, given: string): void => {
    put('/etc/ingot/agent.env', `VAULT_ADDR=${address}\nVAULT_TOKEN=${given}\n`);
    put('/t/app.conf', template);
    const config = {
      file: [],
      service: [
        {
          unit: 'app.service',
          file: [{ ...file('/run/app/app.conf', 'app.conf'), owner: 'www-data', mode: 0o640 }],
        },
      ],
      command: [],
      environment: {},
      variables: {},
      required: [],
      allow_exec: false,
    };
    put(PATHS.config, JSON.stringify(config));
  };

  test('a service gets its files, with their owner and mode', () => {
    configure('pw=ref+vault://kv/app#/password\nref+vault://kv/app#/pem\n', token);
    expect(run('render', 'app.service')).toMatchObject({ status: 0, stderr: '' });
    const path = join(system, 'run/app/app.conf');
    expect(readFileSync(path, 'utf8')).toBe('pw=hunter2\n-----BEGIN\nMII\n-----END\n');
    expect(statSync(path)).toMatchObject({ uid: 33, gid: 33, mode: 0o100640 });
  });

  test('a token that has expired, and one that may not, are told; the old file stays, and the start fails', async () => {
    const { auth } = await api('auth/token/create', { policies: ['app'], ttl: '1s', renewable: false });
    const other = await api('auth/token/create', { policies: ['default'] });
    const expired = (auth as { client_token: string }).client_token;
    for (;;) {
      const { status } = await fetch(`${address}/v1/kv/app`, { headers: { 'x-vault-token': expired } });
      if (status === 403) break;
    }
    const path = join(system, 'run/app/app.conf');
    const before = readFileSync(path, 'utf8');
    for (const given of [expired, (other.auth as { client_token: string }).client_token]) {
      configure('new=ref+vault://kv/app#/password\n', given);
      // It would wait for ever.
      const { stdout, status } = spawnSync(
        'timeout',
        ['15', 'chroot', system, 'node', PATHS.agent, 'render', 'app.service'],
        { encoding: 'utf8' },
      );
      expect(status).not.toBe(0);
      expect(stdout).toMatch(/ingot: waiting: .*status 403/);
      expect(stdout).not.toContain(given);
      expect(readFileSync(path, 'utf8')).toBe(before);
    }
  });

  test('a command gets its secrets in its environment', () => {
    configure('', token);
    put('/env.yaml', 'PASSWORD: ref+vault://kv/app#/password\n');
    expect(
      run('exec', '-f', '/env.yaml', '--', 'sh', '-c', 'test "$PASSWORD" = hunter2; exit 7').status,
    ).toBe(7);
    expect(run('env', '-f', '/env.yaml').stdout).toBe('PASSWORD=hunter2\n');
  });
});
