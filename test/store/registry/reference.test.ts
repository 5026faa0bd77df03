import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseImageReference } from '../../../src/store/registry/reference.ts';
import { credentialsFor } from '../../../src/store/registry/credentials.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunResult } from '../../../src/core/host.ts';

const DIGEST = `sha256:${'a'.repeat(64)}` as const;

test.each<[string, object]>([
  ['debian', { host: 'docker.io', repository: 'library/debian', tag: 'latest' }],
  ['me/web:1', { host: 'docker.io', repository: 'me/web', tag: '1' }],
  ['localhost/web', { host: 'localhost', repository: 'web', tag: 'latest' }],
  ['r.example.org:5000/a/b:1.2', { host: 'r.example.org:5000', repository: 'a/b', tag: '1.2' }],
  [`r:5000/a@${DIGEST}`, { host: 'r:5000', repository: 'a', digest: DIGEST }],
  [`r:5000/a:1@${DIGEST}`, { host: 'r:5000', repository: 'a', tag: '1', digest: DIGEST }],
  ['[::1]:5000/a', { host: '[::1]:5000', repository: 'a', tag: 'latest' }],
])('%s', (text, expected) => expect(parseImageReference(text)).toEqual(expected));

test.each([
  '',
  'A/b',
  'r.example.org/',
  'r:5000/a/../b',
  'a:',
  'a@sha256:1',
  'a b',
  'user@host/a',
  'h.x/a?b',
  '-/a',
  'a.b:99999999/c',
])('%j is refused', (text) =>
  expect(() => parseImageReference(text)).toThrow(expect.objectContaining({ code: 'store/bad-reference' })),
);

test('any text is a reference or refused', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        const { host, repository } = parseImageReference(text);
        expect(`${host}/${repository}`).not.toMatch(/[\s?#@\\]|\.\./);
      } catch (error) {
        expect(error).toMatchObject({ code: 'store/bad-reference' });
      }
    }),
  );
});

describe('credentials', () => {
  const config = {
    auths: {
      'r.example.org': { auth: Buffer.from('me:a:b').toString('base64') },
      'https://index.docker.io/v1/': { username: 'hub', password: 'p' },
      'token.example.org': { identitytoken: 'I' },
      'bad.example.org': { auth: 'AAAA' },
    },
    credHelpers: { 'h.example.org': 'good', 'none.example.org': 'none', 'evil.example.org': '../x' },
  };
  const run = async (command: string): Promise<RunResult> =>
    command.endsWith('good')
      ? { exitCode: 0, stdout: '{"Username":"<token>","Secret":"S"}', stderr: '' }
      : { exitCode: 1, stdout: 'credentials not found in native keychain', stderr: '' };

  const ask = async (host: string, text = JSON.stringify(config)) => {
    const dir = mkdtempSync(join(tmpdir(), 'ingot-docker-config-'));
    try {
      writeFileSync(join(dir, 'config.json'), text);
      return await credentialsFor(host, { run }, { DOCKER_CONFIG: dir });
    } finally {
      rmSync(dir, { recursive: true });
    }
  };

  test.each<[string, object | undefined]>([
    ['r.example.org', { username: 'me', password: 'a:b' }],
    ['docker.io', { username: 'hub', password: 'p' }],
    ['token.example.org', { identityToken: 'I' }],
    ['h.example.org', { identityToken: 'S' }],
    ['none.example.org', undefined],
    ['other.example.org', undefined],
  ])('of %s', async (host, expected) => expect(await ask(host)).toEqual(expected));

  test.each<[string, string | undefined]>([
    ['bad.example.org', undefined],
    ['evil.example.org', undefined],
    ['r.example.org', '{'],
  ])('of %s that cannot be read', async (host, text) => {
    await expect(ask(host, text)).rejects.toMatchObject({ code: 'store/bad-credentials' });
  });
});
