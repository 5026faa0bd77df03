import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PATHS } from '../../src/firstboot/paths.ts';
import { VALS_RENDER, VALS_SCRIPT } from '../../src/firstboot/vals-script.ts';
import { freePort } from '../../scripts/free-port.mjs';
import { consulServer, goTool, moto, openBao, output, startServer } from '../secrets/real-tools.ts';
import { RunningConsul } from '../secrets/running-consul.ts';
import { KEYS, REGION, RunningMoto } from '../secrets/running-moto.ts';
import { RunningVault } from '../secrets/running-vault.ts';
import { selfSigned, tlsProxy } from '../secrets/tls-proxy.ts';
import { file } from './agent-machine.ts';
import { AgentRoot, onDisk, READ_ONLY, type RunningAgent } from './agent-root.ts';
import { Door } from './door.ts';

const vaultTool = openBao();
const CUTS = 10;
const motoTool = moto();
const consulTool = consulServer();

let folder: string;
let system: AgentRoot;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-node18-'));
  system = AgentRoot.build(join(folder, 'root'), ['bind9', 'bind9-dnsutils', 'libfaketime']);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the agent on Debian 12's own Node", () => {
  test('is run by Node 18', () => {
    expect(execFileSync('chroot', [system.path, 'node', '--version'], { encoding: 'utf8' })).toMatch(
      /^v18\./,
    );
    expect(system.run('help')).toMatchObject({ status: 0 });
    expect(system.run('nonsense')).toMatchObject({ status: 2 });
  });

  test('loads every backend', () => {
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
      const { stderr } = system.run('get', `ref+${backend}://x/y#/z`);
      expect(stderr, backend).toMatch(/^ingot-agent: /);
      expect(stderr, backend).not.toMatch(/is not a function|is not defined|undefined/);
    }
  });
});

describe.skipIf(vaultTool.missing)(
  `with OpenBao 2.4.0${vaultTool.missing ? ` (skipped: ${vaultTool.missing})` : ''}`,
  () => {
    let vault: RunningVault;
    let access: { VAULT_ADDR: string; VAULT_TOKEN: string };

    beforeAll(async () => {
      vault = await RunningVault.startOpenBao(vaultTool);
      access = { VAULT_ADDR: vault.address, VAULT_TOKEN: vault.token };
      await fill(vault);
    }, 120_000);
    afterAll(async () => {
      await vault?.[Symbol.asyncDispose]();
    });

    async function fill(server: RunningVault): Promise<void> {
      await server.mount('kv', '1');
      await server.api('kv/app', { password: 'hunter2', pem: '-----BEGIN\nMII\n-----END' });
    }

    const allow = (policy: string): Promise<unknown> =>
      vault.api(`sys/policies/acl/${policy}`, { policy: 'path "kv/app" { capabilities = ["read"] }' });

    describe('a service', () => {
      const configure = (template: string, environment: Record<string, string> = access): void => {
        system.put('/t/app.conf', template);
        const files = [file('/run/app/app.conf', 'app.conf', { owner: 'www-data', mode: 0o640 })];
        system.configure({ service: [{ unit: 'app.service', file: files }] }, environment);
      };

      test('gets its files, with their owner and mode', () => {
        configure('pw=ref+vault://kv/app#/password\nref+vault://kv/app#/pem\n');
        expect(system.run('render', 'app.service')).toMatchObject({ status: 0, stderr: '' });
        expect(system.read('/run/app/app.conf')).toBe('pw=hunter2\n-----BEGIN\nMII\n-----END\n');
        expect(statSync(system.at('/run/app/app.conf'))).toMatchObject({ uid: 33, gid: 33, mode: 0o100640 });
      });

      test('does not start while its token has expired; its old file stays as it is', async () => {
        const before = system.read('/run/app/app.conf');
        await allow('app');
        configure('new=ref+vault://kv/app#/password\n', { ...access, VAULT_TOKEN: await expired() });
        await using agent = system.start(['render', 'app.service']);
        await agent.heard(/ingot: waiting: .*status 403/);
        expect(system.read('/run/app/app.conf')).toBe(before);
        system.setEnvironment(access);
        expect(await agent.ended).toBe(0);
        expect(system.read('/run/app/app.conf')).toBe('new=hunter2\n');
      });

      test('a command gets its secrets in its environment', () => {
        configure('');
        system.put('/env.yaml', 'PASSWORD: ref+vault://kv/app#/password\n');
        const command = ['--', 'sh', '-c', 'test "$PASSWORD" = hunter2; exit 7'];
        expect(system.run('exec', '-f', '/env.yaml', ...command).status).toBe(7);
        expect(system.run('env', '-f', '/env.yaml').stdout).toBe('PASSWORD=hunter2\n');
      });
    });

    test.skipIf(consulTool.missing)(
      'makes itself known to Consul and to BIND, and does it once',
      async () => {
        await using consul = await RunningConsul.start(consulTool);
        const secret = Buffer.from('right').toString('base64');
        const port = await freePort();
        system.put('/named.conf', namedConf(port, secret));
        system.put('/var/cache/bind/example.test', ZONE);
        const dig = (name: string): string => {
          const question = ['+short', '+time=2', '+tries=1', '@127.0.0.1', '-p', String(port), name, 'ANY'];
          return execFileSync('chroot', [system.path, 'dig', ...question], { encoding: 'utf8' }).trim();
        };
        const command = [system.path, 'named', '-g', '-c', '/named.conf'];
        await using _named = await startServer('chroot', command, async () => dig('ns.example.test') !== '');
        await vault.api('kv/consul', { token: 'ffffffff-2222-3333-4444-555555555555' });
        await vault.api('kv/dns', { key: `hmac-sha256:update:${Buffer.from('wrong').toString('base64')}` });
        const place = { name: 'app', port: 5432, id: undefined, check_interval: 10_000 };
        const record = { name: 'db1.example.test', zone: 'example.test', type: 'A', ttl: 60 };
        const register = {
          consul: [
            {
              ...place,
              address: `http://${consul.address}`,
              service_address: '{{ .address }}',
              tags: ['{{ .role }}'],
              meta: { version: '1' },
              token: 'ref+vault://kv/consul#/token',
            },
          ],
          dns: [
            {
              ...record,
              server: `127.0.0.1#${port}`,
              value: '{{ .address }}',
              key: 'ref+vault://kv/dns#/key',
            },
          ],
          http: [],
        };
        system.configure({ register, variables: { role: 'primary', address: '10.1.2.3' } }, access);
        await using agent = system.start(['ready']);
        await agent.heard(/consul app was refused: .*status 403/);
        await agent.heard(/dns db1\.example\.test: nsupdate ended with 2: .*BADSIG/);
        expect(await consul.get('agent/services')).toEqual({});
        await vault.api('kv/consul', { token: consul.token });
        await vault.api('kv/dns', { key: `hmac-sha256:update:${secret}` });
        expect(await agent.ended, agent.output).toBe(0);
        expect(agent.output).toMatch(/ingot: ready in \d/);
        for (const value of [secret, consul.token]) expect(agent.output).not.toContain(value);
        const id = `app-${hostname()}`;
        expect(await consul.get('agent/services')).toMatchObject({
          [id]: {
            Service: 'app',
            Address: '10.1.2.3',
            Port: 5432,
            Tags: ['primary'],
            Meta: { version: '1' },
          },
        });
        expect(await consul.get('agent/checks')).toMatchObject({
          [`service:${id}`]: { Type: 'tcp', ServiceID: id },
        });
        expect(dig('db1.example.test')).toBe('10.1.2.3');
        await consul.put(`agent/service/deregister/${id}`);
        expect(system.run('ready').stdout).toMatch(/ingot: ready in/);
        expect(await consul.get('agent/services')).toEqual({});
      },
    );

    const vals = goTool('vals');
    test.skipIf(vals.missing)(
      'an image that has vals in place of the agent waits, and is configured, too',
      async () => {
        const root = system.copy('vals');
        cpSync(vals.path, root.at('/usr/local/bin/vals'));
        root.put(VALS_SCRIPT, VALS_RENDER);
        root.put('/t/app.conf', 'pw=ref+vault://kv/app#/password\n');
        root.put('/t/plain.conf', 'no secret\n');
        const line = (name: string): string =>
          `${[`/t/${name}`, `/etc/app/conf/${name}`, 'root', 'www-data', '0640'].join('\t')}\n`;
        root.put('/list', line('plain.conf') + line('app.conf'));
        root.put('/commands', 'cp /etc/app/conf/app.conf /var/lib/joined\n');
        root.setEnvironment({ ...access, VAULT_TOKEN: await vault.tokenFor(['default']) });
        await using script = root.startScript(VALS_SCRIPT, '/list', '/commands');
        await script.heard(/ingot: waiting: .*policies grant access/);
        for (const path of [
          '/etc/app/conf/plain.conf',
          '/etc/app/conf/app.conf',
          '/var/lib/joined',
          PATHS.done,
        ])
          expect(root.read(path), path).toBeUndefined();
        root.setEnvironment(access);
        expect(await script.ended, script.output).toBe(0);
        expect(root.read('/etc/app/conf/app.conf')).toBe('pw=hunter2\n');
        expect(statSync(root.at('/etc/app/conf/app.conf'))).toMatchObject({
          uid: 0,
          gid: 33,
          mode: 0o100640,
        });
        expect(statSync(root.at('/etc/app')).mode).toBe(0o40755);
        expect(root.read('/var/lib/joined')).toBe('pw=hunter2\n');
        expect(root.read(PATHS.done)).toContain(' 20');
        expect(script.output).not.toContain('hunter2');
      },
    );

    test(`after ${CUTS} power cuts at random moments nothing is half, and the next boot does it all`, async () => {
      const root = system.copy('cuts');
      const names = Array.from({ length: 20 }, (_, n) => `${n}.conf`);
      root.put('/t/app.conf', 'pw=ref+vault://kv/app#/password\n');
      const step = { script: undefined, environment: {}, timeout: 60_000 };
      const command = (n: number) => ({
        ...step,
        name: `step ${n}`,
        command: ['sh', '-c', `cat /etc/app/0.conf > /var/lib/step-${n}; sleep 0.1`],
      });
      const files = names.map((name) => file(`/etc/app/${name}`, 'app.conf'));
      root.configure({ file: files, command: [0, 1, 2].map(command) }, access);
      const disk = join(folder, 'cut.img');
      const makeDisk = (): unknown => {
        rmSync(disk, { force: true });
        return output('mke2fs', ['-q', '-t', 'ext4', disk, '16M'], { quiet: true });
      };
      const whole = 'pw=hunter2\n';
      const boot = async (from: string): Promise<void> => {
        await using agent = root.start(['first-boot'], { mounts: onDisk(from) });
        expect(await agent.ended, agent.output).toBe(0);
      };
      makeDisk();
      const began = Date.now();
      await boot(disk);
      const duration = Date.now() - began;

      const seed = Number(process.env.INGOT_FAULT_SEED ?? Date.now() % 100_000);
      console.log(`INGOT_FAULT_SEED=${seed}`);
      let state = seed;
      for (let i = 0; i < CUTS; i++) {
        state = (state * 1103515245 + 12345) % 2 ** 31;
        const moment = (state / 2 ** 31) * duration;
        const when = `after a cut at ${Math.round(moment)} of ${duration} ms (seed ${seed})`;
        makeDisk();
        const left = join(folder, 'left.img');
        {
          await using agent = root.start(['first-boot'], { mounts: onDisk(disk) });
          await Promise.race([sleep(moment), agent.ended]);
          agent.pause();
          copyFileSync(disk, left);
        }
        const before = filesOn(left);
        const made = before.names('app').filter((name) => names.includes(name));
        for (const name of made) expect(before.read(`app/${name}`), `${when}: ${name}`).toBe(whole);
        const isDone = before.read('lib/ingot/first-boot.done') !== '';
        for (const path of [...names.map((name) => `app/${name}`), 'lib/step-0', 'lib/step-1', 'lib/step-2'])
          if (isDone) expect(before.read(path), `${when}: ${path}`).toBe(whole);
        await boot(left);
        const after = filesOn(left);
        expect(after.names('app'), when).toEqual([...names].sort());
        for (const name of names) expect(after.read(`app/${name}`), when).toBe(whole);
        expect(after.read('lib/ingot/first-boot.done'), when).toMatch(/^20/);
      }
    });

    /** A token whose time is over. */
    async function expired(): Promise<string> {
      const token = await vault.tokenFor(['app'], '1s');
      const ask = (): Promise<Response> =>
        fetch(`${vault.address}/v1/kv/app`, { headers: { 'x-vault-token': token } });
      while ((await ask()).status !== 403);
      return token;
    }

    /** What is wrong at the first boot, what the console says of it, and how it is put right. */
    interface Fault {
      readonly environment?: Readonly<Record<string, string>>;
      readonly reference?: string;
      readonly by?: string[];
      readonly mounts?: string;
      readonly says: RegExp;
      repair(agent: RunningAgent): unknown;
    }

    const faults: Readonly<Record<string, (root: AgentRoot) => Promise<Fault & Partial<AsyncDisposable>>>> = {
      'a server that is down': async () => {
        const door = new Door(vault.address);
        const port = await freePort();
        return {
          environment: { ...access, VAULT_ADDR: `http://127.0.0.1:${port}` },
          says: /127\.0\.0\.1:\d+ could not be asked: connect ECONNREFUSED/,
          repair: () => door.listen(port, true),
          [Symbol.asyncDispose]: () => door.close(),
        };
      },
      'a server that takes connections and does not answer': async () => {
        const door = new Door(vault.address);
        return {
          environment: { ...access, VAULT_ADDR: `http://127.0.0.1:${await door.listen(0, false)}` },
          says: /could not be asked: no answer within 10000 ms/,
          repair: () => void (door.isOpen = true),
          [Symbol.asyncDispose]: () => door.close(),
        };
      },
      'a sealed server': async () => {
        const own = await RunningVault.startOpenBao(vaultTool);
        await fill(own);
        await own.api('sys/seal', {});
        return {
          environment: { VAULT_ADDR: own.address, VAULT_TOKEN: own.token },
          says: /status 503: (Vault|OpenBao) is sealed/,
          repair: () => own.api('sys/unseal', { key: own.key }),
          [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
        };
      },
      'a token that may not read it (403)': async () => ({
        environment: { ...access, VAULT_TOKEN: await vault.tokenFor(['later']) },
        says: /kv\/app was refused: .*status 403: .*client's policies grant access/,
        repair: () => allow('later'),
      }),
      'a token that has expired': async (root) => {
        await allow('app');
        return {
          environment: { ...access, VAULT_TOKEN: await expired() },
          says: /status 403: .*an expired token is refused this way/,
          repair: () => root.setEnvironment(access),
        };
      },
      'a secret that is not there (404)': async () => ({
        reference: 'ref+vault://kv/late#/password',
        says: /there is no .*kv\/late.*status 404/,
        repair: () => vault.api('kv/late', { password: 'hunter2' }),
      }),
      'a wrong key in a map': async () => {
        await vault.api('kv/renamed', { pass: 'hunter2' });
        return {
          reference: 'ref+vault://kv/renamed#/password',
          says: /there is no key "password" in vault:\/\/kv\/renamed#\/password \(The secret has pass\.\)/,
          repair: () => vault.api('kv/renamed', { password: 'hunter2' }),
        };
      },
      'a certificate of an unknown authority': async (root) => {
        const files = selfSigned(folder);
        const proxy = await tlsProxy(files, vault.address);
        const environment = { ...access, ...at(proxy.url) };
        return {
          environment,
          says: /127\.0\.0\.1:\d+ could not be asked: self[- ]signed certificate .*certificate authority/,
          repair() {
            root.put('/etc/ssl/ours.pem', readFileSync(files.cert, 'utf8'));
            root.setEnvironment({ ...environment, VAULT_CACERT: '/etc/ssl/ours.pem' });
          },
          [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
        };
      },
      'a clock that is years behind': (root) =>
        atTheTime(root, '-3650d', /certificate is not yet valid; the clock of this machine says 20/),
      'a clock that is years ahead': (root) =>
        atTheTime(root, '+3650d', /certificate has expired; the clock of this machine says 20/),
      'a disk that is read-only': async (root) => ({
        mounts: READ_ONLY,
        says: /EROFS: read-only file system, mkdir '\/etc\/app'/,
        repair: ({ pid }) =>
          execFileSync('nsenter', ['-t', String(pid), '-m', 'mount', '-o', 'remount,rw,bind', root.path]),
      }),
      ...(!motoTool.missing && {
        'a metadata service that is absent': async () => {
          const aws = await RunningMoto.start(motoTool);
          await aws.createSecret('kv/app', { password: 'hunter2' });
          const door = new Door(aws.endpoint);
          const port = await freePort();
          return {
            environment: {
              AWS_ENDPOINT_URL: aws.endpoint,
              AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}`,
              AWS_REGION: REGION,
            },
            reference: 'ref+awssecrets://kv/app#/password',
            says: /AWS: no credentials were found.*metadata service/,
            repair: () => door.listen(port, true),
            async [Symbol.asyncDispose]() {
              await door.close();
              await aws[Symbol.asyncDispose]();
            },
          };
        },
      }),
    };

    async function atTheTime(root: AgentRoot, clock: string, says: RegExp): Promise<Fault & AsyncDisposable> {
      const own = mkdtempSync(join(folder, 'tls-'));
      const files = selfSigned(own);
      const proxy = await tlsProxy(files, vault.address);
      root.put('/ours.pem', readFileSync(files.cert, 'utf8'));
      root.put('/clock', clock);
      return {
        environment: { ...access, ...at(proxy.url), VAULT_CACERT: '/ours.pem' },
        by: ['env', 'LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', ...FAKE_CLOCK],
        says,
        repair: () => root.put('/clock', '+0'),
        [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
      };
    }

    /** Runs the first boot with a fault, then without it. */
    async function play(name: string, root: AgentRoot): Promise<void> {
      await using fault = Object.assign(
        { [Symbol.asyncDispose]: async () => {} },
        await faults[name]?.(root),
      ) as Fault & AsyncDisposable;
      root.put('/t/app.conf', `pw=${fault.reference ?? 'ref+vault://kv/app#/password'}\n`);
      root.put('/t/plain.conf', 'no secret\n');
      const environment = fault.environment ?? access;
      const join = { name: 'join', script: undefined, environment: {}, timeout: 60_000 };
      root.configure(
        {
          file: [file('/etc/app/plain.conf', 'plain.conf'), file('/etc/app/app.conf', 'app.conf')],
          command: [{ ...join, command: ['cp', '/etc/app/app.conf', '/var/lib/joined'] }],
        },
        environment,
      );
      await using agent = root.start(['first-boot'], fault);
      await agent.heard(new RegExp(`ingot: (waiting|not ready): .*${fault.says.source}`));
      for (const path of ['/etc/app/plain.conf', '/etc/app/app.conf', '/var/lib/joined', PATHS.done])
        expect(root.read(path), path).toBeUndefined();
      await fault.repair(agent);
      expect(await agent.ended, agent.output).toBe(0);
      expect(root.read('/etc/app/plain.conf')).toBe('no secret\n');
      expect(root.read('/etc/app/app.conf')).toBe('pw=hunter2\n');
      expect(root.read('/var/lib/joined')).toBe('pw=hunter2\n');
      expect(root.read(PATHS.done)).toMatch(/^20/);
      expect(agent.output).not.toContain('hunter2');
      expect(agent.output).not.toContain(environment.VAULT_TOKEN ?? KEYS.secretAccessKey);
    }

    describe('the first boot waits, says why, writes nothing, and is done when it is put right:', () => {
      const runs = new Map<string, Promise<unknown>>();
      // All at once: most of it is waiting.
      beforeAll(() => {
        for (const [n, name] of Object.keys(faults).entries())
          runs.set(
            name,
            play(name, system.copy(`fault-${n}`)).catch((error: unknown) => error),
          );
      });
      afterAll(async () => {
        await Promise.all(runs.values());
      });
      test.each(Object.keys(faults))('%s', async (name) => {
        const failure = await runs.get(name);
        if (failure !== undefined) throw failure;
      });
    });
  },
);

/** Files of an ext4 filesystem, put in order as its next mount does. */
function filesOn(disk: string) {
  const { status, stdout } = spawnSync('e2fsck', ['-p', disk], { encoding: 'utf8' });
  if (status === null || status > 1) throw new Error(`the filesystem is damaged: ${stdout}`);
  const debugfs = (command: string): string =>
    output('debugfs', ['-R', command, disk], { quiet: true }).toString();
  return {
    /** Empty where there is none. */
    read: (path: string): string => debugfs(`cat ${path}`),
    names: (folder: string): string[] =>
      debugfs(`ls -p ${folder}`)
        .split('\n')
        .map((line) => line.split('/')[5] ?? '')
        .filter((name) => !/^\.{0,2}$/.test(name))
        .sort(),
  };
}

/** A name server of one zone, which whoever has the key may change. */
const namedConf = (port: number, secret: string): string => `
options {
  directory "/var/cache/bind";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
};
controls {};
key "update" { algorithm hmac-sha256; secret "${secret}"; };
zone "example.test" { type primary; file "example.test"; allow-update { key "update"; }; };
`;
const ZONE = `$TTL 60
@ SOA ns.example.test. root.example.test. 1 60 60 600 60
@ NS ns.example.test.
ns A 127.0.0.1
`;

/** By address: not every chroot knows localhost, which the certificates are for. */
const at = (url: string) => ({
  VAULT_ADDR: url.replace('localhost', '127.0.0.1'),
  VAULT_TLS_SERVER_NAME: 'localhost',
});

/** What libfaketime is told: the time is in a file that may change, timers run as ever. */
const FAKE_CLOCK = [
  'FAKETIME_TIMESTAMP_FILE=/clock',
  'FAKETIME_NO_CACHE=1',
  'FAKETIME_DONT_FAKE_MONOTONIC=1',
];
