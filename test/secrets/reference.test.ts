import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeReference, parseReference, quoteForReference } from '../../src/secrets/reference.ts';

describe('what a reference says', () => {
  test.each([
    ['vault://mykv/foo#/bar', 'vault', 'mykv/foo', 'bar'],
    ['VAULT://mykv/foo#bar', 'vault', 'mykv/foo', 'bar'],
    ['echo://foo/', 'echo', 'foo', ''],
    ['echo://foo//bar/', 'echo', 'foo//bar/', ''],
    ['file:///etc/x#/a/b', 'file', '/etc/x', 'a/b'],
    ['file://rel/x%20y#/a%2Fb', 'file', 'rel/x y', 'a/b'],
    ['doppler:////FOO', 'doppler', '//FOO', ''],
    ['doppler://#FOO', 'doppler', '', 'FOO'],
    ['envsubst://${A}-$B/x', 'envsubst', '${A}-$B/x', ''],
    ['a://x/y#', 'a', 'x/y', ''],
    ['a://x/y#/', 'a', 'x/y', ''],
    ['httpjson://h/p#///*[1]/name', 'httpjson', 'h/p', '//*[1]/name'],
    [
      'awssecrets://arn:aws:secretsmanager:eu-west-1:1:secret:/a/b/?region=x#/k',
      'awssecrets',
      'arn:aws:secretsmanager:eu-west-1:1:secret:/a/b/',
      'k',
    ],
    [
      'awssecrets://arn:aws-cn:secretsmanager:x:1:secret:a%2f',
      'awssecrets',
      'arn:aws-cn:secretsmanager:x:1:secret:a%2f',
      '',
    ],
  ])('%s', (text, backend, path, fragment) => {
    expect(parseReference(text)).toMatchObject({ backend, path, fragment });
  });

  test('the first of a parameter counts, decoded', () => {
    const { params } = parseReference('a://x/y?p=1&p=2&q=a%26b+c&r&=z&&context=%7B%22a%22%3A1%7D');
    expect([...params]).toEqual([
      ['p', '1'],
      ['q', 'a&b c'],
      ['r', ''],
      ['', 'z'],
      ['context', '{"a":1}'],
    ]);
  });

  test.each(['a://x/%', 'a://x/%g1', '://x/y', 'a:/x/y', 'a://x/y#%'])('%s is none', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'secrets/bad-reference' }));
  });
});

test('a message shows no secret parameter', () => {
  const shown = describeReference(
    'doppler://p/c/N?token=dp.secret&address=https://x&env_PW=hunter2&default=d#/k',
  );
  expect(shown).toBe('doppler://p/c/N?token=…&address=https://x&env_PW=…&default=…#/k');
  expect(describeReference('https://bob:s3cr3t@host:80/a@b:c#/k')).toBe('https://bob:…@host:80/a@b:c#/k');
});

test('a value that is put into a path stays a part of the path', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const text = Buffer.from(value).toString();
      const { path, params, fragment } = parseReference(`file:///base/${quoteForReference(text)}`);
      expect(path).toBe(`/base/${text}`);
      expect(params.size).toBe(0);
      expect(fragment).toBe('');
    }),
  );
});
