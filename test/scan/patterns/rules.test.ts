import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IngotError } from '../../../src/core/error.ts';
import { defaultRules, readRules } from '../../../src/scan/patterns/read-rules.ts';
import { entropyOf } from '../../../src/scan/patterns/rules.ts';
import { type PatternFinding, PatternSearch } from '../../../src/scan/patterns/search-text.ts';

const find = (toml: string, text: string, path = 'etc/app.conf'): PatternFinding[] =>
  new PatternSearch(readRules(toml, 'rules.toml')).file(path, Buffer.from(text));

const RULE = `[[rules]]
id = "token"
description = "a token"
regex = '''(?i)token\\s*=\\s*"?([a-z0-9]{8,})"?'''
keywords = ["TOKEN"]
`;

describe('a rule of gitleaks', () => {
  test('says rule, file, line, and how the secret begins', () => {
    expect(find(RULE, 'a = 1\nToken = "q9w8e7r6t5"\n')).toEqual([
      { rule: 'token', description: 'a token', path: '/etc/app.conf', line: 2, begins: 'q9w8' },
    ]);
  });

  test.each<[string, string, number]>([
    ['keywords are looked for first', RULE.replace('TOKEN', 'key of'), 0],
    ['without keywords the regex is tried everywhere', RULE.replace(/keywords.*\n/, ''), 1],
    ['so it is with a keyword of one letter', RULE.replace('TOKEN', 't'), 1],
    ['a secret of little entropy is none', `${RULE}entropy = 3.5\n`, 0],
    ['the path must fit', `${RULE}path = '''^root/'''\n`, 0],
    ['stopwords', `${RULE}[[rules.allowlists]]\nstopwords = ["W8E7"]\n`, 0],
    ['the old name of an allowlist', `${RULE}[rules.allowlist]\nregexes = ['''^q9''']\n`, 0],
    ['a regex is held against the secret', `${RULE}[[rules.allowlists]]\nregexes = ['''^Token''']\n`, 1],
    ['or the match', `${RULE}[[rules.allowlists]]\nregexTarget = "match"\nregexes = ['''^Token''']\n`, 0],
    ['or the line', `${RULE}[[rules.allowlists]]\nregexTarget = "line"\nregexes = ['''# test$''']\n`, 0],
    ['one entry is enough', `${RULE}[[rules.allowlists]]\npaths = ['''^srv/''']\nstopwords = ["q9w8"]\n`, 0],
    [
      'unless all are asked for',
      `${RULE}[[rules.allowlists]]\ncondition = "AND"\npaths = ['''^srv/''']\nstopwords = ["q9w8"]\n`,
      1,
    ],
    [
      'a list of commits speaks of no file',
      `${RULE}[[rules.allowlists]]\ncondition = "AND"\npaths = ['''app''']\ncommits = ["c0ffee"]\n`,
      1,
    ],
    ['a list for all rules', `[allowlist]\npaths = ['''app\\.conf$''']\n${RULE}`, 0],
    ['a list for some rules', `[[allowlists]]\ntargetRules = ["other"]\npaths = ['''app''']\n${RULE}`, 1],
    ['a rule of a path alone', `[[rules]]\nid = "p"\npath = '''\\.conf$'''\n`, 1],
  ])('%s', (_, toml, count) => {
    expect(find(toml, 'Token = "q9w8e7r6q9w8e7r6" # test')).toHaveLength(count);
  });

  test('a group of the regex is the secret', () => {
    const toml = `[[rules]]\nid = "a"\nregex = '''(x+)=(y+)'''\nsecretGroup = 2\n`;
    expect(find(toml, 'xxxx=yyyyyy')[0]?.begins).toBe('yyyy');
  });

  test('secrets far from each other, at the end, behind bytes that are no UTF-8', () => {
    const text = Buffer.concat([
      Buffer.from([0xff, 0xfe, 10]),
      Buffer.from(`token=aaaaaaaa1\n${'x\n'.repeat(20_000)}token=bbbbbbbb2`),
    ]);
    const found = new PatternSearch(readRules(RULE, 'r')).file('f', text);
    expect(found.map(({ line, begins }) => [line, begins])).toEqual([
      [2, 'aaaa'],
      [20_003, 'bbbb'],
    ]);
  });
});

describe('a file of rules that is wrong', () => {
  const wrong = (toml: string): string => {
    try {
      readRules(toml, 'rules.toml');
    } catch (error) {
      if (error instanceof IngotError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return 'nothing';
  };

  test.each<[string, string, RegExp]>([
    ['no TOML', 'a = = 1', /^patterns\/bad-rules: rules\.toml:1:5: /],
    ['an unknown key', `${RULE}regexp = "x"`, /rule "token" has the unknown key "regexp"/],
    ['a bad pattern', RULE.replace('(?i)', '('), /rule "token": regex "\(token.*/],
    ['look-behind, which RE2 has not', RULE.replace('(?i)', '(?<=x)'), /rule "token": regex/],
    ['no such group', `${RULE}secretGroup = 2`, /secretGroup is 2, the regex has 1 groups/],
    ['neither regex nor path', '[[rules]]\nid = "x"', /has neither regex nor path/],
    ['no id', '[[rules]]\nregex = "x"', /rule 1 has no id/],
    ['a wrong type', '[[rules]]\nid = "x"\nregex = "y"\nkeywords = "z"', /keywords is no list of strings/],
    ['a condition', `${RULE}[[rules.allowlists]]\ncondition = "XOR"`, /condition is "xor"/],
    ['no rules', "[allowlist]\npaths = ['''^x''']", /the file has no rules/],
    ['a file to extend', '[extend]\npath = "other.toml"', /\[extend\] path is not supported/],
  ])('%s', (_, toml, message) => expect(wrong(toml)).toMatch(message));

  test('everything wrong is told at once', () => {
    expect(wrong('[[rules]]\nid = "a"\n[[rules]]\nid = "b"\nfoo = 1').split('; ')).toHaveLength(3);
  });

  test('is an error of ours, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(wrong(text)).toMatch(/^(nothing|patterns\/bad-rules: )/s);
      }),
    );
  });
});

describe('our own rules', () => {
  const search = new PatternSearch(defaultRules());
  const rulesOf = (text: string, path = 'etc/app.conf'): string[] =>
    search.file(path, Buffer.from(text)).map(({ rule }) => rule);
  const noise = (length: number): string =>
    Array.from({ length }, (_, i) => 'aQ7xK2mZ9pL4'[(i * 7 + (i >> 2)) % 12]).join('');

  test.each<[string, string, string?]>([
    [
      'private-key',
      `-----BEGIN ${'OPENSSH'} PRIVATE KEY-----\n${noise(70)}\n${noise(70)}\n-----END ${'OPENSSH'} PRIVATE KEY-----`,
    ],
    ['private-key', `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n${noise(70)}\n`],
    ['age-secret-key', `AGE-SECRET-KEY-1${'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'.repeat(2).slice(0, 58)}`],
    ['aws-access-key-id', 'key = AKIAQ3EGRIZTVW57KLMN'],
    ['azure-storage-key', `AccountName=x;AccountKey=${noise(86)}==;`],
    ['gcp-service-account', `"private_key_id": "${'0123456789abcdef'.repeat(3).slice(0, 40)}"`],
    ['google-api-key', `AIza${noise(35)}"`],
    ['github-token', `ghp_${noise(36)}`],
    ['gitlab-token', `glpat-${noise(20)}`],
    ['slack-token', `xoxb-123456789012-${noise(24)}`],
    ['stripe-key', `sk_live_${noise(24)}`],
    ['npm-token', `//registry${''}/:_authToken=npm_${noise(36)}`],
    ['vault-token', `hvs.${noise(90)}\n`],
    ['registry-login', '{"auths":{"r":{"auth":"dXNlcjpwYXNzd29yZA=="}}}', 'root/.docker/config.json'],
    ['netrc-password', 'machine x login y password z9z9z9', 'root/.netrc'],
    ['url-password', 'DATABASE_URL=postgres://app:x8Kq2Lm9@db/app'],
  ])('%s', (rule, text, path) => expect(rulesOf(text, path)).toEqual([rule]));

  test.each<[string, string, string?]>([
    ['documentation', `-----BEGIN PRIVATE KEY-----\n${noise(70)}\n`, 'usr/share/doc/x/example.pem'],
    ['a public key', `-----BEGIN PUBLIC KEY-----\n${noise(70)}\n`],
    ['the name of a key alone', 'looks for "-----BEGIN PRIVATE KEY-----" in a file'],
    ["AWS's own example", 'AKIAIOSFODNN7EXAMPLE'],
    ['a placeholder in a URL', 'http://user:password@proxy:3128/ http://$USER:${PASS}@proxy'],
    ['a URL outside of what users write', 'https://alice:x8Kq2Lm9@host', 'usr/lib/python3/x.py'],
  ])('not %s', (_, text, path) => expect(rulesOf(text, path)).toEqual([]));
});

test('entropy', () => {
  expect(entropyOf('aaaa')).toBe(0);
  expect(entropyOf('abcd')).toBe(2);
  expect(entropyOf('')).toBe(0);
});
