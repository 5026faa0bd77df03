import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emptyScope, type EvalScope, loadTemplate, toJson } from '../../../src/template/index.ts';
import { standardFunctions } from '../../../src/template/functions/index.ts';
import type { Services } from '../../../src/template/functions/services.ts';
import { NOW, run } from '../evaluate-text.ts';

/** Vault, Consul and Secrets Manager in a thread of their own: the one that asks stands still until it has its answer. */
const SERVER = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
let asked = 0;
const server = createServer((request, response) => {
  const json = (status, body) => { response.statusCode = status; response.end(JSON.stringify(body)); };
  const { pathname, searchParams } = new URL(request.url, 'http://x');
  if (request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue') {
    let body = '';
    request.on('data', (part) => { body += part; });
    return request.on('end', () => {
      const { SecretId: id } = JSON.parse(body);
      const { authorization, 'x-amz-security-token': session } = request.headers;
      const secrets = { plain: 'just text', one: '{"a":"first"}', two: '{"a":"first","b":2,"c":[]}', request: session + ' ' + authorization };
      if (id in secrets) return json(200, { SecretString: secrets[id] });
      if (id === 'binary') return json(200, { SecretBinary: 'AAAA' });
      if (id === 'denied') return json(400, { __type: 'AccessDeniedException', Message: 'not for you' });
      json(400, { __type: 'ResourceNotFoundException', Message: 'none' });
    });
  }
  const token = request.headers['x-vault-token'];
  if (pathname.startsWith('/v1/secret/') && token !== 'root') return json(403, { errors: ['permission denied'] });
  if (pathname === '/v1/secret/data/hello') return json(200, { data: { data: { foo: 'bär', n: 1 }, metadata: {} } });
  if (pathname === '/v1/secret/v1') return json(200, { data: { foo: 'one', data: 'plain' } });
  if (pathname === '/v1/secret/space/a%20b') return json(200, { data: { ns: request.headers['x-vault-namespace'] } });
  if (pathname === '/v1/secret/moved') { response.writeHead(307, { location: '/v1/secret/v1' }); return response.end(); }
  if (pathname === '/v1/secret/away') { response.writeHead(307, { location: 'http://localhost:1/x' }); return response.end(); }
  if (pathname === '/v1/secret/html') return response.end('<html>');
  if (pathname === '/v1/secret/big') return response.end('x'.repeat(3e6));
  if (pathname === '/v1/secret/count') return json(200, { data: { n: String(++asked) } });
  const value = (text) => json(200, [{ Value: Buffer.from(text).toString('base64') }]);
  if (pathname === '/v1/kv/images/base') return value('debian' + (searchParams.get('ns') ?? '') + (request.headers['x-consul-token'] ?? ''));
  if (pathname === '/v1/kv/empty') return json(200, [{ Value: null }]);
  json(404, { errors: [] });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

let server: Worker;
let origin = '';
beforeAll(async () => {
  server = new Worker(SERVER, { eval: true, execArgv: [] });
  origin = await new Promise<string>((resolve) =>
    server.once('message', (port: number) => resolve(`http://127.0.0.1:${port}`)),
  );
});
afterAll(() => server.terminate());

function vaultEnv(): NodeJS.ProcessEnv {
  return { VAULT_ADDR: origin, VAULT_TOKEN: 'root' };
}

function scopeWith(env: NodeJS.ProcessEnv, more: Partial<Services> = {}): EvalScope & { told: string[] } {
  const told: string[] = [];
  const services: Services = {
    env,
    unconfigured: 'error',
    answers: new Map(),
    onSecret: (name, text) => told.push(`${name}=${text}`),
    ...more,
  };
  return { ...emptyScope(), functions: standardFunctions({ dir: '/', now: NOW, services }), told };
}

describe('vault', () => {
  test.each([
    ['vault("secret/data/hello", "foo")', 'bär'],
    ['vault("/secret//v1/", "foo")', 'one'],
    ['vault("secret/v1", "data")', 'plain'],
    ['vault("secret/moved", "foo")', 'one'],
    ['upper(vault("secret/v1", "foo"))', 'ONE'],
  ])('%s', (text, expected) => {
    const { value, errors } = run(text, scopeWith(vaultEnv()));
    expect([toJson(value), errors]).toEqual([expected, []]);
    expect([...value.marks.sensitive][0]).toMatch(/^vault\("/);
  });

  test.each([
    ['vault("secret/data/hello", "bar")', /has no key "bar"$/],
    ['vault("secret/data/hello", "n")', /has no text under the key "n"$/],
    ['vault("secret/none", "foo")', /^vault: Vault has no secret at "secret\/none"$/],
    ['vault("secret/away", "foo")', /did not answer: it redirects to http:\/\/localhost:1$/],
    ['vault("secret/html", "foo")', /status 200: no JSON$/],
    ['vault("secret/big", "foo")', /more than 1048576 bytes$/],
    ['vault("secret/../sys/x", "foo")', /is no path of a key$/],
    ['vault("", "foo")', /is no path of a key$/],
    ['vault("a")', /it takes 2 arguments/],
  ])('refuses %s', (text, message) => {
    const { errors } = run(text, scopeWith(vaultEnv()));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(message);
  });

  test('says what Vault says', () => {
    const { errors } = run('vault("secret/v1", "x")', scopeWith({ ...vaultEnv(), VAULT_TOKEN: 'wrong' }));
    expect(errors).toEqual(['vault: Vault answered with status 403: permission denied']);
  });

  test('sends the namespace and quotes the path', () => {
    const scope = scopeWith({ ...vaultEnv(), VAULT_NAMESPACE: 'team' });
    expect(toJson(run('vault("secret/space/a b", "ns")', scope).value)).toBe('team');
  });

  test('asks once in a run, and tells the secret for masking', () => {
    const scope = scopeWith(vaultEnv());
    const text = '[vault("secret/count", "n"), vault("secret/count", "n")]';
    const { value } = run(text, scope);
    const [first, second] = toJson(value) as string[];
    expect(first).toBe(second);
    expect(scope.told[0]).toBe(`vault("secret/count", "n")=${first}`);
  });

  test('is unknown while validating where it is not configured, an error else', () => {
    expect(run('vault("a", "b")', scopeWith({})).errors).toEqual([
      'vault: the service is not configured. Set VAULT_TOKEN and VAULT_ADDR.',
    ]);
    const { value, errors } = run('"x${vault("a", "b")}"', scopeWith({}, { unconfigured: 'unknown' }));
    expect([value.data, errors]).toEqual([undefined, []]);
  });

  test('a service that is not there', () => {
    const { errors } = run(
      'vault("a", "b")',
      scopeWith({ VAULT_TOKEN: 'x', VAULT_ADDR: 'http://127.0.0.1:1' }),
    );
    expect(errors[0]).toMatch(/^vault: http:\/\/127\.0\.0\.1:1 did not answer: .*ECONNREFUSED/);
    const { errors: no } = run('vault("a", "b")', scopeWith({ VAULT_TOKEN: 'x', VAULT_ADDR: 'ftp://x' }));
    expect(no[0]).toMatch(/VAULT_ADDR must be an address/);
  });
});

describe('consul_key', () => {
  const env = (): NodeJS.ProcessEnv => ({ CONSUL_HTTP_ADDR: origin.replace('http://', '') });

  test.each([
    ['consul_key("images/base")', {}, 'debian'],
    ['consul_key("images/base")', { CONSUL_HTTP_TOKEN: '-t', CONSUL_NAMESPACE: '-n' }, 'debian-n-t'],
  ])('%s %j', (text, more, expected) => {
    const { value, errors } = run(text, scopeWith({ ...env(), ...more }));
    expect([toJson(value), errors, value.marks.sensitive.size]).toEqual([expected, [], 0]);
  });

  test.each([
    ['consul_key("none")', 'consul_key: Consul has no key "none"'],
    ['consul_key("empty")', 'consul_key: Consul\'s key "empty" has no value'],
  ])('refuses %s', (text, message) => expect(run(text, scopeWith(env())).errors).toEqual([message]));

  test('is not asked where it is not configured', () => {
    expect(run('consul_key("a")', scopeWith({})).errors[0]).toMatch(/not configured\. Set CONSUL_HTTP_ADDR/);
    expect(run('consul_key("a")', scopeWith({}, { unconfigured: 'unknown' })).errors).toEqual([]);
  });
});

describe('aws_secretsmanager', () => {
  const env = (): NodeJS.ProcessEnv => ({
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'key',
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL: origin,
  });

  test.each([
    ['aws_secretsmanager("plain")', 'just text'],
    ['aws_secretsmanager("plain", "x")', 'just text'],
    ['aws_secretsmanager("one")', 'first'],
    ['aws_secretsmanager("two", "b")', '2'],
    ['aws_secretsmanager_raw("two")', '{"a":"first","b":2,"c":[]}'],
  ])('%s', (text, expected) => {
    const { value, errors } = run(text, scopeWith(env()));
    expect([toJson(value), errors]).toEqual([expected, []]);
    expect([...value.marks.sensitive][0]).toMatch(/^aws_secretsmanager/);
  });

  test.each([
    ['aws_secretsmanager("two")', 'the secret "two" holds 3 values, expected the key of one of them'],
    ['aws_secretsmanager("two", "x")', 'the secret "two" has no key "x"'],
    ['aws_secretsmanager("two", "c")', 'the secret "two" has no text under the key "c"'],
    ['aws_secretsmanager("none")', 'AWS Secrets Manager has no secret "none" in eu-central-1'],
    ['aws_secretsmanager("binary")', 'the secret "binary" is binary, expected a text'],
    ['aws_secretsmanager("denied")', 'AWS Secrets Manager answered with status 400: not for you'],
    ['aws_secretsmanager("a", "b", "c")', 'it takes at most 2 arguments, got 3'],
  ])('refuses %s', (text, message) =>
    expect(run(text, scopeWith(env())).errors).toEqual([`aws_secretsmanager: ${message}`]),
  );

  test('the request is signed for the region, with the session of temporary credentials', () => {
    const scope = scopeWith({ ...env(), AWS_SESSION_TOKEN: 'session' });
    const said = toJson(run('aws_secretsmanager_raw("request")', scope).value) as string;
    expect(said).toMatch(
      /^session AWS4-HMAC-SHA256 Credential=id\/\d{8}\/eu-central-1\/secretsmanager\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
    );
  });

  test('a profile in the shared files will do', () => {
    const home = mkdtempSync(join(tmpdir(), 'ingot-aws-'));
    try {
      mkdirSync(join(home, '.aws'));
      writeFileSync(
        join(home, '.aws/credentials'),
        '[default]\naws_access_key_id = no\n\n[ci]\naws_access_key_id=from-file\naws_secret_access_key = s\n',
      );
      writeFileSync(join(home, '.aws/config'), '[profile ci]\nregion = us-east-1\n');
      const scope = scopeWith({ HOME: home, AWS_PROFILE: 'ci', AWS_ENDPOINT_URL: origin });
      expect(toJson(run('aws_secretsmanager_raw("request")', scope).value)).toContain(
        'Credential=from-file/',
      );
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  test('is unknown while validating where it is not configured, an error else', () => {
    for (const text of ['aws_secretsmanager("a", "b")', 'aws_secretsmanager_raw("a")']) {
      expect(run(text, scopeWith({})).errors[0]).toMatch(/not configured\. Set AWS_ACCESS_KEY_ID/);
      expect(run(text, scopeWith({}, { unconfigured: 'unknown' })).errors).toEqual([]);
    }
  });
});

describe('in templates', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'ingot-services-'));
    writeFileSync(
      join(dir, 'a.pkr.hcl'),
      'variable "v" { default = vault("secret/v1", "foo") }\nlocals { l = "x-${vault("secret/data/hello", "foo")}" }\n',
    );
    writeFileSync(
      join(dir, 'legacy.json'),
      JSON.stringify({
        variables: { a: '{{ vault "secret/v1" "foo" }}', b: '{{ consul_key "images/base" }}-{{ user "a" }}' },
        builders: [{ type: 'null', communicator: 'none' }],
        provisioners: [{ type: 'shell-local', command: 'echo {{ vault "secret/v1" "foo" }}' }],
      }),
    );
  });
  afterAll(() => rmSync(dir, { recursive: true }));
  const env = (): NodeJS.ProcessEnv => ({ ...vaultEnv(), CONSUL_HTTP_ADDR: origin });

  test('HCL2: secrets are known for masking', async () => {
    const { template, diagnostics } = await loadTemplate({ path: dir, env: env() });
    expect(diagnostics).toEqual([]);
    expect(toJson(template.values)).toEqual({ v: 'one' });
    expect(template.locals.map((l) => toJson(l.value))).toEqual(['x-bär']);
    expect(template.scope.secrets.get('vault("secret/data/hello", "foo")')).toEqual(['bär']);
  });

  test('legacy JSON: in variables only', async () => {
    const { template, diagnostics } = await loadTemplate({ path: join(dir, 'legacy.json'), env: env() });
    expect(toJson(template.values)).toEqual({ a: 'one', b: 'debian-one' });
    expect(template.scope.secrets.get('vault("secret/v1", "foo")')).toEqual(['one']);
    expect(diagnostics.map((d) => d.message)).toEqual([expect.stringMatching(/vault.*variables only/)]);
  });

  test('legacy JSON: unknown while validating without a service', async () => {
    const loaded = await loadTemplate({ path: join(dir, 'legacy.json'), unconfigured: 'unknown' });
    expect(loaded.diagnostics.map((d) => d.message)).toEqual([expect.stringMatching(/variables only/)]);
    expect(toJson(loaded.template.values)).toEqual({ a: null, b: null });
  });
});
