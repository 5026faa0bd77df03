import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import { createResolver, type ResolverOptions } from '../../src/secrets/resolver.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server on loopback; answers its host and what was asked of it. */
async function serve(handler: Handler): Promise<{ host: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    handler(request, response, asked.length);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function resolve(text: string, options: Partial<ResolverOptions> = {}): Promise<unknown> {
  const resolver = createResolver({ env: {}, ...options });
  return await expandText(text, { lookup: (reference) => resolver.lookup(reference) });
}

describe('http', () => {
  test('a path is asked for once, whatever is taken from it', async () => {
    const { host, asked } = await serve((_q, r) => void r.end('{"a": [1, "two"], "b": {"c": true}}'));
    const text = `ref+http://${host}/x?q=1&default=d#/a/1 ref+http://${host}/x?q=1#/b/c ref+http://${host}/x?q=1#/none?`;
    await expect(resolve(text)).rejects.toMatchObject({ code: 'secrets/not-found' });
    expect(asked).toEqual(['/x?q=1']);
    expect(await resolve(`ref+http://${host}/x#/a/1 ref+http://${host}/x#/b/c`)).toBe('two true');
  });

  test('a default stands for what is not there, and for nothing else', async () => {
    const { host } = await serve((q, r) => void r.writeHead(q.url === '/gone' ? 404 : 403).end());
    expect(await resolve(`ref+http://${host}/gone?default=none`)).toBe('none');
    expect(await resolve(`ref+http://${host}/gone?default=#/key`)).toBe('');
    await expect(resolve(`ref+http://${host}/closed?default=none`)).rejects.toMatchObject({
      code: 'secrets/denied',
    });
  });

  test('a server in trouble is asked again', async () => {
    const { host, asked } = await serve(
      (_q, r, count) => void r.writeHead(count < 3 ? 503 : 200).end('fine'),
    );
    expect(await resolve(`ref+http://${host}/x`)).toBe('fine');
    expect(asked).toHaveLength(3);
  });

  test('one that stays in trouble, or away, is given up', async () => {
    const { host, asked } = await serve((_q, r) => void r.writeHead(500).end('hunter2'));
    const patience = { attempts: 2, deadlineMs: 5000 };
    await expect(resolve(`ref+http://${host}/x`, { patience })).rejects.toMatchObject({
      code: 'secrets/bad-answer',
      message: expect.not.stringContaining('hunter2') as string,
    });
    expect(asked).toHaveLength(2);
    await expect(resolve('ref+http://127.0.0.1:1/x', { patience })).rejects.toMatchObject({
      code: 'secrets/unreachable',
    });
  });

  test('the deadline ends the waiting', async () => {
    const { host } = await serve(() => {});
    const patience = { attemptMs: 50, deadlineMs: 120 };
    await expect(resolve(`ref+http://${host}/x`, { patience })).rejects.toMatchObject({
      code: 'secrets/unreachable',
    });
  });

  test('a redirect to another host is not followed, so that a token stays here', async () => {
    const other = await serve((_q, r) => void r.end('stolen'));
    const { host } = await serve((q, r) => {
      if (q.url === '/x') r.writeHead(307, { location: `http://${other.host}/` }).end();
      else if (q.url === '/y') r.writeHead(302, { location: '/z' }).end();
      else r.end(q.headers.authorization);
    });
    const env = { TOKEN: 't0ken' };
    await expect(resolve(`ref+http://${host}/x?bearer_env=TOKEN`, { env })).rejects.toMatchObject({
      code: 'secrets/unreachable',
    });
    expect(other.asked).toEqual([]);
    expect(await resolve(`ref+http://${host}/y?bearer_env=TOKEN`, { env })).toBe('Bearer t0ken');
  });

  test('XPath into JSON', async () => {
    const { host, asked } = await serve((_q, r) => void r.end('[{"name": "chartify", "id": 251296379.0}]'));
    const base = `ref+httpjson://${host}/users?insecure=true`;
    expect(await resolve(`${base}#///*[1]/name ${base}&floatAsInt=true#///*[1]/id`)).toBe(
      'chartify 251296379',
    );
    expect(asked).toEqual(['/users']);
  });
});

// As vals 0.46.1 has it, where it does not end in a panic.
test.each([
  ['list', 'p,q'],
  ['list/*', 'p'],
  ['map', 'deep'],
  ['numbers', '1,2'],
  ['empty', undefined],
  ['two', undefined],
  ['maps', undefined],
])('a location in JSON that leads to several: %s', async (path, expected) => {
  const json =
    '{"list":["p","q"],"map":{"x":"deep"},"numbers":[1,2],"empty":[],"two":{"a":1,"b":2},"maps":[{"a":1}]}';
  const { host } = await serve((_q, r) => void r.end(json));
  const found = resolve(`ref+httpjson://${host}/d?insecure=true#/${path}`);
  if (expected !== undefined) expect(await found).toBe(expected);
  else await expect(found).rejects.toMatchObject({ code: 'secrets/not-scalar' });
});

test('secrets are told to the mask before anybody sees them', async () => {
  const told: string[] = [];
  const env = { A: 'hunter2' };
  await resolve('ref+envsubst://$A', { env, onSecret: (text) => told.push(text) });
  expect(told).toEqual(['hunter2']);
});

test('VALS_<PARAM> stands for a parameter', async () => {
  const env = { VALS_ENCODE: 'base64' };
  expect(await resolve(`ref+file://${import.meta.dirname}/../fixtures/secrets/plain.txt`, { env })).toBe(
    'cGxhaW4K',
  );
  expect(
    await resolve(`ref+file://${import.meta.dirname}/../fixtures/secrets/plain.txt?encode=raw`, { env }),
  ).toBe('plain\n');
});

test('files: missing ones, folders, and devices without end', async () => {
  await expect(resolve('ref+file:///nonexistent/x')).rejects.toMatchObject({ code: 'secrets/not-found' });
  await expect(resolve('ref+file:///etc')).rejects.toMatchObject({ code: 'secrets/denied' });
  await expect(resolve('ref+file:///dev/zero')).rejects.toMatchObject({ code: 'secrets/bad-answer' });
  expect(await resolve('ref+file:///dev/null')).toBe('');
});

describe('commands', () => {
  test('are refused where nobody allowed them', async () => {
    await expect(resolve('ref+exec://id')).rejects.toMatchObject({ code: 'secrets/denied' });
  });

  test('get their arguments from the path and the parameters', async () => {
    const runs: unknown[] = [];
    const run: ResolverOptions['run'] = async (command, args, { env, timeoutMs }) => {
      runs.push([command, args, env, timeoutMs]);
      return { exitCode: command === 'no' ? 3 : 0, stdout: 'a: 1 \n', stderr: 'why\n' };
    };
    expect(await resolve('ref+exec://bw/get/x?args=-y,z&env_K=v&timeout=5#/a', { run })).toBe(1);
    expect(await resolve('ref+exec:///bin/x?trim=false', { run })).toBe('a: 1 \n');
    expect(runs).toEqual([
      ['bw', ['get', 'x', '-y', 'z'], { K: 'v' }, 5000],
      ['/bin/x', [], {}, 30_000],
    ]);
    await expect(resolve('ref+exec://no', { run })).rejects.toMatchObject({
      message: 'the command no ended with exit code 3: why',
    });
  });
});

describe('Vault', () => {
  /** As a server answers, with a version 2 engine at secret/ and a version 1 engine at old/. */
  const vault: Handler = (q, r) => {
    const url = q.url ?? '';
    const answer = (data: unknown, status = 200): void => void r.writeHead(status).end(JSON.stringify(data));
    if (q.headers['x-vault-token'] !== 't' && !url.startsWith('/v1/auth/'))
      return answer({ errors: ['permission denied'] }, 403);
    if (url.startsWith('/v1/sys/internal/ui/mounts/secret'))
      return answer({ data: { path: 'secret/', options: { version: '2' } } });
    if (url.startsWith('/v1/sys/internal/ui/mounts/old'))
      return answer({ data: { path: 'old/', options: null } });
    if (url === '/v1/secret/data/db') return answer({ data: { data: { pw: 'hunter2', n: 1, b: 'aGk=' } } });
    if (url === '/v1/secret/data/db?version=1') return answer({ data: { data: { pw: 'before' } } });
    if (url === '/v1/old/db') return answer({ data: { pw: 'old' } });
    if (url === '/v1/auth/kubernetes/login') return answer({ auth: { client_token: 't' } });
    if (url === '/v1/auth/approle/login') return answer({ errors: ['invalid role or secret ID'] }, 400);
    return answer({ errors: [] }, 404);
  };

  test('both versions, keys in the path and in the fragment, each secret once', async () => {
    const { host, asked } = await serve(vault);
    const env = { VAULT_ADDR: `http://${host}`, VAULT_TOKEN: 't' };
    const text = [
      'ref+vault://secret/db#/pw',
      'ref+vault://secret/db/n',
      'ref+vault://secret/db/b?decode=base64',
      'ref+vault://secret/db?version=1#/pw',
      'ref+vault://secret/data/db#/pw',
      'ref+vault://old/db/pw',
      'ref+vault://secret/none?default=d#/x',
    ].join(' ');
    expect(await resolve(text, { env })).toBe('hunter2 1 hi before hunter2 old d');
    expect(asked.filter((url) => url.includes('/mounts/'))).toHaveLength(2);
    // Once by each of the two ways to write its path.
    expect(asked.filter((url) => url === '/v1/secret/data/db')).toHaveLength(2);
  });

  test('a hundred references to ten paths take two round trips', async () => {
    const LATENCY_MS = 50;
    let most = 0;
    let open = 0;
    const { host, asked } = await serve((q, r) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        if ((q.url ?? '').includes('/mounts/'))
          r.end('{"data":{"path":"secret/","options":{"version":"2"}}}');
        else
          r.end(
            '{"data":{"data":{"k0":"v","k1":"v","k2":"v","k3":"v","k4":"v","k5":"v","k6":"v","k7":"v","k8":"v","k9":"v"}}}',
          );
      }, LATENCY_MS);
    });
    const env = { BAO_ADDR: `http://${host}`, BAO_TOKEN: 't' };
    const references = Array.from(
      { length: 100 },
      (_, i) => `ref+openbao://secret/p${i % 10}#/k${Math.floor(i / 10)}`,
    );
    expect(await resolve(references.join(' '), { env })).toBe(Array(100).fill('v').join(' '));
    expect(asked).toHaveLength(11);
    expect(most).toBe(10);
  });

  test('what is wrong is told', async () => {
    const { host } = await serve(vault);
    const address = `http://${host}`;
    const at = (text: string, env: Record<string, string>) =>
      resolve(text, { env: { HOME: '/nonexistent', VAULT_ADDR: address, ...env } });
    const cases: [string, Record<string, string>, string][] = [
      ['ref+vault://secret/db#/pw', {}, 'secrets/not-configured'],
      ['ref+vault://secret/db#/pw', { VAULT_ADDR: 'nowhere', VAULT_TOKEN: 't' }, 'secrets/not-configured'],
      ['ref+vault://secret/db#/pw', { VAULT_TOKEN: 'expired' }, 'secrets/denied'],
      ['ref+vault://secret/db#/wrong', { VAULT_TOKEN: 't' }, 'secrets/not-found'],
      ['ref+vault://secret/none#/pw', { VAULT_TOKEN: 't' }, 'secrets/not-found'],
      ['ref+vault://secret/../sys#/pw', { VAULT_TOKEN: 't' }, 'secrets/bad-reference'],
      ['ref+vault://secret/db?auth_method=magic#/pw', {}, 'secrets/bad-reference'],
      ['ref+vault://secret/db?auth_method=approle&role_id=r#/pw', {}, 'secrets/denied'],
      ['ref+vault://secret/db?auth_method=userpass&username=u#/pw', {}, 'secrets/not-configured'],
    ];
    for (const [text, env, code] of cases) await expect(at(text, env), text).rejects.toMatchObject({ code });
  });

  test('a service account logs in once', async () => {
    const { host, asked } = await serve(vault);
    const env = {
      VAULT_ADDR: `http://${host}`,
      VAULT_AUTH_METHOD: 'kubernetes',
      VAULT_KUBERNETES_JWT_TOKEN_PATH: `${import.meta.dirname}/../fixtures/secrets/plain.txt`,
    };
    expect(
      await resolve('ref+vault://secret/db?role_id=r#/pw ref+vault://old/db?role_id=r#/pw', { env }),
    ).toBe('hunter2 old');
    expect(asked.filter((url) => url.includes('/auth/'))).toEqual(['/v1/auth/kubernetes/login']);
  });
});

test.each(['op://a/b', 'tss://1#/x', 'nonsense://a/b'])(
  '%s is not supported, with the list of what is',
  async (reference) => {
    await expect(resolve(`ref+${reference}`)).rejects.toMatchObject({
      code: 'secrets/unsupported',
      hint: expect.stringContaining('awssecrets, awsssm') as string,
    });
  },
);
