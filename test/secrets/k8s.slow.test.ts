import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runForReference } from '../../src/app/reference-resolver.ts';
import { expandText } from '../../src/secrets/expand.ts';
import { createResolver } from '../../src/secrets/resolver.ts';
import { goTool, kubernetesServer, output } from './real-tools.ts';
import { type KeyPair, RunningKubernetes } from './running-kubernetes.ts';

const tool = kubernetesServer();
const vals = goTool('vals');
const base64 = (content: string | Buffer): string => Buffer.from(content).toString('base64');

describe.skipIf(tool.missing)(`Kubernetes 1.34.4${tool.missing ? ` (skipped: ${tool.missing})` : ''}`, () => {
  let cluster: RunningKubernetes;
  let folder: string;
  let certified: KeyPair;
  /** Kubeconfigs, by how they prove who asks. All of these may read. */
  let ways: Record<string, string>;
  /** The token of a pod of the service account `app`. */
  let podToken: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ingot-k8s-'));
    cluster = await RunningKubernetes.start(tool);
    await cluster.create('/api/v1/namespaces', { metadata: { name: 'web' } });
    const blob = Buffer.from([0xff, 0x00, 0xfe]);
    const secret = { pw: 'hunter2', n: '5', empty: '', 'app.yaml': 'a: {b: [1, <x>]}\n', umlaut: 'ü' };
    const data = Object.fromEntries(Object.entries(secret).map(([key, value]) => [key, base64(value)]));
    const at = '/api/v1/namespaces/web';
    await cluster.create(`${at}/secrets`, { metadata: { name: 'db' }, data });
    await cluster.create(`${at}/secrets`, { metadata: { name: 'keys' }, data: { blob: base64(blob) } });
    const plain = { host: 'db.example', 'app.yaml': 'a: 1\n' };
    const settings = { metadata: { name: 'settings' }, data: plain, binaryData: { logo: base64(blob) } };
    await cluster.create(`${at}/configmaps`, settings);
    await cluster.create(`${at}/configmaps`, { metadata: { name: 'bare' } });
    await cluster.create(`${at}/serviceaccounts`, { metadata: { name: 'app' } });
    const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/web';
    const rule = { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['get'] };
    await cluster.create(`${roles}/roles`, { metadata: { name: 'reads' }, rules: [rule] });
    const users = ['reader', 'certified'].map((name) => ({ kind: 'User', name }));
    const subjects = [
      ...users,
      { kind: 'Group', name: 'readers' },
      { kind: 'ServiceAccount', name: 'app', namespace: 'web' },
    ];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reads' };
    await cluster.create(`${roles}/rolebindings`, { metadata: { name: 'reads' }, subjects, roleRef });
    podToken = await cluster.tokenOf('web', 'app');
    certified = cluster.certificate('certified', '/CN=certified');
    ways = waysIn();
  }, 120_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** Writes a kubeconfig, and answers its path. */
  function kubeconfig(user: object, trust: object = {}): string {
    const own = { server: cluster.address, 'certificate-authority': cluster.authority.cert, ...trust };
    return write(`${Math.random()}.kubeconfig`, {
      'current-context': 'here',
      contexts: [{ name: 'here', context: { cluster: 'it', user: 'me' } }],
      clusters: [{ name: 'it', cluster: own }],
      users: [{ name: 'me', user }],
    });
  }

  function write(name: string, content: object | string): string {
    const path = join(folder, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  /** A credential plugin that writes the status when it is called as it should be, and its entry of a kubeconfig. */
  function plugin(name: string, status: object, wanted: string): object {
    const credential = { kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status };
    const script = `#!/bin/sh\ncase "$1 $MINE $KUBERNETES_EXEC_INFO" in\n  ${wanted}) cat <<'END' ;;\n${JSON.stringify(credential)}\nEND\n  *) echo "called with $KUBERNETES_EXEC_INFO" >&2; exit 3 ;;\nesac\n`;
    chmodSync(write(name, script), 0o700);
    return {
      apiVersion: credential.apiVersion,
      // From the kubeconfig's folder.
      command: `./${name}`,
      args: ['argument'],
      env: [{ name: 'MINE', value: 'of the kubeconfig' }],
      interactiveMode: 'Never',
      provideClusterInfo: wanted.includes('server'),
    };
  }

  function waysIn(): Record<string, string> {
    const { reader: token, admin } = cluster.tokens;
    const pem = (path: string): string => readFileSync(path, 'utf8');
    const ca = base64(pem(cluster.authority.cert));
    const pair = { clientCertificateData: pem(certified.cert), clientKeyData: pem(certified.key) };
    const called = "'argument of the kubeconfig '*";
    write('token', `${token}\n`);
    write('readme.crt', pem(certified.cert));
    return {
      'a token': kubeconfig({ token }),
      'a token in a file': kubeconfig({ tokenFile: 'token' }),
      'a token in a file, newer than the other': kubeconfig({ token: 'old', tokenFile: 'token' }),
      'a certificate in files': kubeconfig({
        'client-certificate': 'readme.crt',
        'client-key': certified.key,
      }),
      'a certificate in the kubeconfig': kubeconfig(
        {
          'client-certificate-data': base64(pem(certified.cert)),
          'client-key-data': base64(pem(certified.key)),
        },
        { 'certificate-authority': undefined, 'certificate-authority-data': ca },
      ),
      'a service account': kubeconfig({ token: podToken }),
      'a plugin that gives a token': kubeconfig({ exec: plugin('gives-token', { token }, called) }),
      'a plugin that gives a certificate': kubeconfig({ exec: plugin('gives-pair', pair, called) }),
      'a plugin that is told of the cluster': kubeconfig({
        exec: plugin(
          'told',
          { token },
          `*'"server":"${cluster.address}"'*'"certificate-authority-data":"${ca}"'*`,
        ),
      }),
      'a name of another user': kubeconfig({ token: admin, as: 'reader' }),
      "another user's groups": kubeconfig({
        token: admin,
        as: 'somebody',
        'as-groups': ['others', 'readers'],
        'as-user-extra': { 'example.org/team': ['a', 'b'] },
      }),
      'a server by another name': kubeconfig({ token }, { 'tls-server-name': 'cluster.example' }),
      'any certificate': kubeconfig(
        { token },
        { 'certificate-authority': undefined, 'insecure-skip-tls-verify': true },
      ),
    };
  }

  const environment = (path: string): Record<string, string> => ({ HOME: folder, KUBECONFIG: path });

  async function resolve(text: string, env: Readonly<Record<string, string>>): Promise<unknown> {
    const resolver = createResolver({ env, patience: { attempts: 1 }, run: runForReference });
    return await expandText(text, { lookup: (reference) => resolver.lookup(reference) });
  }

  /** What vals makes of it; undefined where it fails. */
  function theirs(reference: string, env: Readonly<Record<string, string>>): string | undefined {
    try {
      return output(vals.path, ['get', reference], {
        env: { ...env, PATH: process.env.PATH },
        quiet: true,
      }).toString();
    } catch {
      return undefined;
    }
  }

  const VALUES: readonly (readonly [string, unknown])[] = [
    ['ref+k8s://v1/Secret/web/db/pw', 'hunter2'],
    ['ref+k8s://v1/Secret/web/db#/pw', 'hunter2'],
    ['ref+k8s://v1/Secret/web/db/n', '5'],
    ['ref+k8s://v1/Secret/web/db/umlaut', 'ü'],
    ['ref+k8s://v1/Secret/web/db/app.yaml', 'a: {b: [1, <x>]}\n'],
    ['ref+k8s://v1/Secret/web/db#/app.yaml', 'a: {b: [1, <x>]}\n'],
    ['secretref+k8s://v1/Secret/web/db/empty', ''],
    ['ref+k8s://v1/ConfigMap/web/settings/host', 'db.example'],
    ['ref+k8s://v1/ConfigMap/web/settings#/host', 'db.example'],
    ['ref+k8s://v1/ConfigMap/web/settings', '{"app.yaml":"a: 1\\n","host":"db.example"}'],
    ['ref+k8s://v1/ConfigMap/web/bare', '{}'],
  ];
  test.each(VALUES)('%s', async (reference, expected) => {
    const env = environment(ways['a token'] as string);
    expect(await resolve(reference, env)).toEqual(expected);
    if (!vals.missing) expect(theirs(reference, env)).toBe(String(expected));
  });

  test('all keys of a Secret, as JSON', async () => {
    const env = environment(ways['a token'] as string);
    const all = { 'app.yaml': 'a: {b: [1, <x>]}\n', empty: '', n: '5', pw: 'hunter2', umlaut: 'ü' };
    const text = (await resolve('ref+k8s://v1/Secret/web/db', env)) as string;
    expect(JSON.parse(text)).toEqual(all);
    if (!vals.missing) expect(theirs('ref+k8s://v1/Secret/web/db', env)).toBe(text);
  });

  test('what is no text: in base64, or not at all', async () => {
    const env = environment(ways['a token'] as string);
    for (const reference of ['ref+k8s://v1/Secret/web/keys/blob', 'ref+k8s://v1/ConfigMap/web/settings/logo'])
      expect(await resolve(`${reference}?encode=base64`, env)).toBe('/wD+');
    expect(await resolve('ref+k8s://v1/Secret/web/keys?encode=base64#/blob', env)).toBe('/wD+');
    expect(await resolve('ref+k8s://v1/Secret/web/keys#/blob', env)).toEqual(Uint8Array.of(0xff, 0, 0xfe));
    for (const reference of ['ref+k8s://v1/Secret/web/keys/blob', 'ref+k8s://v1/Secret/web/keys'])
      await expect(resolve(reference, env)).rejects.toMatchObject({ code: 'secrets/bad-document' });
  });

  test('each way to say who asks', async () => {
    for (const [way, path] of Object.entries(ways)) {
      const reference = 'ref+k8s://v1/Secret/web/db/pw';
      expect(await resolve(reference, environment(path)), way).toBe('hunter2');
      if (!vals.missing) expect(theirs(reference, environment(path)), way).toBe('hunter2');
    }
  });

  test('of several kubeconfigs the first that has an entry counts; a context by its name', async () => {
    const contexts = { contexts: [{ name: 'other', context: { cluster: 'it', user: 'me' } }] };
    const path = [join(folder, 'none'), write('contexts', contexts), ways['a token']].join(':');
    const reference = 'ref+k8s://v1/Secret/web/db/pw';
    expect(await resolve(reference, environment(path))).toBe('hunter2');
    const env = environment(path);
    expect(await resolve('ref+k8s://v1/Secret/web/db/pw?kubeContext=other', env)).toBe('hunter2');
    expect(await resolve(reference, { ...env, VALS_KUBECONTEXT: 'other' })).toBe('hunter2');
    const named = `${reference}?kubeConfigPath=${ways['a token']}`;
    expect(await resolve(named, environment(join(folder, 'none')))).toBe('hunter2');
  });

  test('in a pod: the files and variables that it has', async () => {
    const { hostname, port } = new URL(cluster.address);
    const env = { HOME: folder, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    const reference = 'ref+k8s://v1/Secret/web/db/pw?inCluster';
    // Seen by this test's process and what it runs, by nobody else.
    output('mount', ['-t', 'tmpfs', 'pod', '/run']);
    try {
      await expect(resolve(reference, env)).rejects.toMatchObject({ code: 'secrets/not-configured' });
      const own = '/run/secrets/kubernetes.io/serviceaccount';
      mkdirSync(own, { recursive: true });
      writeFileSync(join(own, 'token'), podToken);
      writeFileSync(join(own, 'ca.crt'), readFileSync(cluster.authority.cert));
      expect(await resolve(reference, env)).toBe('hunter2');
      if (!vals.missing) expect(theirs(reference, env)).toBe('hunter2');
    } finally {
      output('umount', ['/run']);
    }
  });

  test('what is missing or refused is told in the words of the server', async () => {
    const { reader, admin } = cluster.tokens;
    const good = ways['a token'] as string;
    const strange = cluster.certificate('stranger', '/CN=stranger');
    const stranger = kubeconfig({ 'client-certificate': strange.cert, 'client-key': strange.key });
    const other = kubeconfig({ token: reader }, { 'certificate-authority': undefined });
    const wrongName = kubeconfig({ token: reader }, { 'tls-server-name': 'other.example' });
    const failing = { ...plugin('fails', {}, 'nothing'), command: './fails' };
    const cases: readonly (readonly [string, string, string, RegExp])[] = [
      ['Secret/web/none/pw', good, 'not-found', /status 404: secrets "none" not found/],
      ['Secret/none/db/pw', good, 'denied', /in the namespace "none"/],
      ['Secret/web/db/wrong', good, 'not-found', /key wrong in the Secret web\/db/],
      ['Secret/web/db#/wrong', good, 'not-found', /key "wrong"/],
      [
        'Secret/web/db/pw',
        stranger,
        'denied',
        /status 403: secrets "db" is forbidden: User "stranger" cannot get resource "secrets" in API group "" in the namespace "web"/,
      ],
      ['Secret/web/db/pw', kubeconfig({ token: 'expired' }), 'denied', /status 401: Unauthorized/],
      ['Secret/web/db/pw', kubeconfig({}), 'denied', /User "system:anonymous" cannot get/],
      [
        'Secret/web/db/pw',
        kubeconfig({ token: admin, as: 'stranger' }),
        'denied',
        /User "stranger" cannot get resource/,
      ],
      ['Secret/web/db/pw', other, 'unreachable', /certificate/],
      ['Secret/web/db/pw', wrongName, 'unreachable', /other\.example/],
      [
        'Secret/web/db/pw',
        kubeconfig({ token: reader }, { 'certificate-authority': 'none.crt' }),
        'not-configured',
        /none\.crt can't be read/,
      ],
      ['Secret/web/db/pw', kubeconfig({ tokenFile: 'none' }), 'not-configured', /none can't be read/],
      ['Secret/web/db/pw', kubeconfig({ exec: failing }), 'bad-answer', /exit code 3: called with/],
      [
        'Secret/web/db/pw',
        kubeconfig({ exec: plugin('empty', {}, '*') }),
        'not-configured',
        /neither a token nor a certificate/,
      ],
      ['Secret/web/db/pw?kubeContext=none', good, 'not-configured', /no context "none"/],
      [
        'Secret/web/db/pw?default=d',
        kubeconfig({ token: admin }, { server: `${cluster.address}/elsewhere` }),
        'bad-answer',
        /status 404, and not as Kubernetes does/,
      ],
      ['Pod/web/db/pw', good, 'bad-reference', /names no Secret or ConfigMap/],
    ];
    for (const [path, file, code, message] of cases) {
      const reference = `ref+k8s://v1/${path}`;
      const what = `${reference} ${readFileSync(file, 'utf8')}`;
      await expect(resolve(reference, environment(file)), what).rejects.toMatchObject({
        code: `secrets/${code}`,
        message: expect.stringMatching(message) as string,
      });
      // For a key that is missing behind `#`, vals prints <nil>.
      if (!vals.missing && !path.includes('#'))
        expect(theirs(reference, environment(file)), what).toBeUndefined();
    }
    expect(await resolve('ref+k8s://v1/Secret/web/none/pw?default=d', environment(good))).toBe('d');
  });
});
