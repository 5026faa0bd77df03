import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decryptAge } from '../../src/secrets/age/decrypt.ts';
import { readIdentities } from '../../src/secrets/age/identity.ts';
import { expandText } from '../../src/secrets/expand.ts';
import { createResolver } from '../../src/secrets/resolver.ts';
import { goTool, output } from './real-tools.ts';

const tools = { age: goTool('age'), keygen: goTool('age-keygen'), sops: goTool('sops') };
const missing = Object.values(tools).find((tool) => tool.missing)?.missing;

describe.skipIf(missing)(
  `files of age 1.2.1 and sops 3.13.3${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    let folder: string;
    let env: Record<string, string>;
    let recipient: string;

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'ingot-sops-'));
      output(tools.keygen.path, ['-o', join(folder, 'keys.txt')], { quiet: true });
      recipient = /public key: (\S+)/.exec(readFileSync(join(folder, 'keys.txt'), 'utf8'))?.[1] as string;
      env = { HOME: folder, SOPS_AGE_KEY_FILE: join(folder, 'keys.txt') };
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    async function resolve(
      text: string,
      extra: Readonly<Record<string, string | undefined>> = {},
    ): Promise<unknown> {
      const resolver = createResolver({ env: { ...env, ...extra } });
      return await expandText(text, { lookup: (reference) => resolver.lookup(reference) });
    }

    /** Encrypts a text and answers the file. */
    function seal(name: string, text: string, ...flags: string[]): string {
      const file = join(folder, name);
      writeFileSync(file, text);
      output(tools.sops.path, ['-e', '-i', '--age', recipient, ...flags, file], {
        env: { ...process.env, ...env },
      });
      return file;
    }

    const open = (file: string): string =>
      output(tools.sops.path, ['-d', file], { env: { ...process.env, ...env } }).toString();

    test.each([0, 1, 65_535, 65_536, 65_537, 200_000])('age: %i bytes, armored and not', (size) => {
      const content = Buffer.alloc(size, 'ingot');
      const identities = readIdentities(readFileSync(join(folder, 'keys.txt'), 'utf8'));
      for (const flags of [[], ['-a']]) {
        const sealed = output(tools.age.path, ['-r', recipient, ...flags], { input: content });
        expect(decryptAge(sealed, identities).equals(content)).toBe(true);
      }
    });

    test('age: another key, a changed header, a changed or shortened content', () => {
      const identities = readIdentities(readFileSync(join(folder, 'keys.txt'), 'utf8'));
      const sealed = output(tools.age.path, ['-r', recipient], { input: 'x'.repeat(100_000) });
      const other = readIdentities(output(tools.keygen.path, [], { quiet: true }).toString());
      expect(() => decryptAge(sealed, other)).toThrow(expect.objectContaining({ code: 'secrets/denied' }));
      for (const at of [30, sealed.length - 1, sealed.length - 50_000]) {
        const changed = Buffer.from(sealed);
        changed[at] = (changed[at] as number) ^ 1;
        expect(() => decryptAge(changed, identities), String(at)).toThrow();
      }
      expect(() => decryptAge(sealed.subarray(0, 65_800), identities)).toThrow(
        expect.objectContaining({ code: 'secrets/bad-document' }),
      );
    });

    const YAML = [
      '# about it',
      'text: hunter2',
      'number: 5',
      'float: 1.5',
      'small: 0.0000001',
      'yes: true',
      'empty: ""',
      'none: null',
      'list:',
      '    # inside',
      '    - a',
      '    - {b: c}',
      '    - [1, [x]]',
      'multi: |',
      '    line',
      '    line',
      'plain_unencrypted: seen',
      '"key: odd": x',
      '"é": ü',
      '',
    ].join('\n');

    test('YAML: the values with their types, and the text as sops writes it', async () => {
      const file = seal('a.yaml', YAML);
      expect(await resolve(`ref+sops://${file}#/text`)).toBe('hunter2');
      expect(await resolve(`ref+sops://${file}#/number`)).toBe(5);
      expect(await resolve(`ref+sops://${file}#/small`)).toBe(1e-7);
      expect(await resolve(`ref+sops://${file}#/yes`)).toBe(true);
      expect(await resolve(`ref+sops://${file}#/list`)).toEqual(['a', { b: 'c' }, [1, ['x']]]);
      expect(await resolve(`ref+sops://${file}#/plain_unencrypted`)).toBe('seen');
      const { parse } = await import('yaml');
      expect(parse(String(await resolve(`ref+sops://${file}`)))).toEqual(parse(open(file)));
    });

    test('JSON, dotenv and binary: the very bytes that sops writes', async () => {
      const json = seal(
        'a.json',
        '{"b": {"10": "x", "2": [1.5, true, null, {}]}, "a": "hunter2", "n": 12345678901234567}',
      );
      expect(await resolve(`ref+sops://${json}`)).toBe(open(json));
      expect(await resolve(`ref+sops://${json}#/b/2/0`)).toBe(1.5);
      const dotenv = seal('a.env', 'A=hunter2\nB=x=y z\nC=\n');
      expect(await resolve(`ref+sops://${dotenv}`)).toBe(open(dotenv));
      expect(await resolve(`ref+sops://${dotenv}#/B`)).toBe('x=y z');
      const binary = seal('a.txt', 'any text\n\ttabs é\n');
      expect(await resolve(`ref+sops://${binary}`)).toBe(open(binary));
      const inline = readFileSync(json).toString('base64url');
      expect(await resolve(`ref+sops://${inline}?key_type=base64&format=json#/a`)).toBe('hunter2');
      expect(await resolve(`ref+sops://${binary}?encode=base64`)).toBe(
        Buffer.from(open(binary)).toString('base64'),
      );
    });

    test('a MAC over the encrypted values alone; values by a pattern', async () => {
      const file = seal(
        'm.yaml',
        'open: x\nsecret: hunter2\n',
        '--encrypted-regex',
        '^secret$',
        '--mac-only-encrypted',
      );
      writeFileSync(file, readFileSync(file, 'utf8').replace('open: x', 'open: y'));
      expect(await resolve(`ref+sops://${file}#/open`)).toBe('y');
      expect(await resolve(`ref+sops://${file}#/secret`)).toBe('hunter2');
    });

    test('what was changed, moved or removed is noticed', async () => {
      const file = seal('t.yaml', 'a: one\nb: two\nc_unencrypted: three\n');
      const sealed = readFileSync(file, 'utf8');
      const [a = '', b = ''] = sealed.split('\n');
      const changes = [
        sealed.replace('three', 'four'),
        sealed.replace(`${b}\n`, ''),
        sealed.replace(a, a.replace('a:', 'x:')).replace(b, b.replace('b:', 'a:')),
        sealed.replace(/data:./, 'data:Q'),
        sealed.replace(a, 'a: plain'),
        sealed.replace(/lastmodified: "20/, 'lastmodified: "19'),
      ];
      for (const [i, text] of changes.entries()) {
        writeFileSync(file, text);
        await expect(resolve(`ref+sops://${file}#/a`), String(i)).rejects.toMatchObject({
          code: 'secrets/bad-document',
        });
      }
    });

    test('without the key', async () => {
      const file = seal('k.yaml', 'a: one\n');
      await expect(resolve(`ref+sops://${file}#/a`, { SOPS_AGE_KEY_FILE: undefined })).rejects.toMatchObject({
        code: 'secrets/denied',
      });
      const key = readFileSync(join(folder, 'keys.txt'), 'utf8');
      expect(
        await resolve(`ref+sops://${file}#/a`, { SOPS_AGE_KEY_FILE: undefined, SOPS_AGE_KEY: key }),
      ).toBe('one');
    });
  },
);
