import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../cli/run-cli.ts';
import { goTool, output } from './real-tools.ts';

const vals = goTool('vals');

/** References and texts for documents; `@` is the test's folder. */
const WORDS = [
  [
    'ref+file://@/d.yaml#/a/b',
    'ref+file://@/d.yaml#/a/n',
    'ref+file://@/d.yaml#/a/t',
    'ref+file://@/d.yaml#/a',
  ],
  ['ref+file://@/d.yaml#a/f', 'ref+file://@/d.yaml#/s', 'ref+file://@/d.yaml#/q', 'ref+file://@/t.txt'],
  [
    'secretref+file://@/t.txt?encode=base64',
    'ref+echo://x/y/z',
    'ref+echo://x/y/z#/x',
    'ref+envsubst://$NAME/x',
  ],
  [
    'ref+envsubst://$UNSET/x',
    'ref+exec://echo/hi',
    'ref+exec://printf?args=a%5Cnb',
    'ref+echo://ref+envsubst://$NAME/x',
  ],
  [
    'pre ref+file://@/d.yaml#/a/n+ post',
    '"ref+echo://a/b"',
    'ref+echo://a/b+ref+echo://c/d',
    'x ref+echo://a/b',
  ],
  [
    'plain',
    'yes',
    '5',
    '0x1f',
    '~',
    '1_000',
    '12:30',
    '-',
    'a #b',
    ' lead',
    'trail ',
    '@at',
    'tab\there',
    "it's",
    '',
  ],
  [
    'x: y',
    'x:y',
    '[a',
    '{b',
    '*c',
    '&d',
    '!e',
    '%f',
    '`g',
    '|',
    '>',
    'null',
    '2020-01-01',
    '1e3',
    '.5',
    '+1',
    '=',
    'é',
  ],
  [
    'a\nb',
    'a\nb\n',
    'one\n\nthree\n',
    '? x',
    '- x',
    '#c',
    'a,b',
    'true',
    '0o17',
    '017',
    '..',
    '---',
    '--- a',
    '::',
    'n',
    'Off',
  ],
].flat();

describe.skipIf(vals.missing)(
  `beside vals 0.46.1${vals.missing ? ` (skipped: ${vals.missing})` : ''}`,
  () => {
    let folder: string;
    const env: Record<string, string> = { PATH: process.env.PATH as string, NAME: 'val-ue' };
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'ingot-vals-'));
      env.HOME = folder;
      writeFileSync(
        join(folder, 'd.yaml'),
        'a: {b: two, n: 5, t: true, f: 1.5, z: null, l: [1, 2], m: {x: y}}\ns: "multi\\nline\\n"\nq: "a: b"\n',
      );
      writeFileSync(join(folder, 't.txt'), 'plain text\n');
      writeFileSync(join(folder, 'm.yaml'), 'a: 1\n---\na: 2\n');
      const instances = [0, 1].map((n) => ({ index_key: n, attributes: { a: { 'x.y': `v${n}` } } }));
      const state = {
        version: 4,
        outputs: { o: { value: { b: '<', 10: 1, 9: [1.5] }, type: 'object' } },
        resources: [{ mode: 'managed', type: 't', name: 'n', instances }],
      };
      writeFileSync(join(folder, 's.tfstate'), JSON.stringify(state));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const here = (text: string): string => text.replaceAll('@', folder);
    const theirs = (args: readonly string[], input: string): string =>
      output(vals.path, args.map(here), { env, input }).toString();
    const ours = async (args: readonly string[], input: string): Promise<string> => {
      const { code, stdout, stderr } = await runCli(
        ['secrets', ...args.map(here)],
        env,
        Readable.from([input]),
      );
      expect(code, stderr).toBe(0);
      return stdout;
    };

    const word = fc.constantFrom(...WORDS);
    const leaf = fc.oneof({ weight: 8, arbitrary: word }, fc.constantFrom(1, 2.5, true, null, 0, -3, 1e12));
    const key = fc.constantFrom(
      'a',
      'b',
      'B',
      'a1',
      'a10',
      'a2',
      '_k',
      'k y',
      'n',
      '5',
      'true',
      'z-z',
      'é',
      'a.b',
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    const document = fc.dictionary(key, tree, { minKeys: 1, maxKeys: 8 });

    test.each(['yaml', 'json'])(
      'eval writes the same bytes, %s',
      async (format) => {
        await fc.assert(
          fc.asyncProperty(document, async (value) => {
            const input = here(JSON.stringify(value));
            const args = ['eval', '-f', '-', '-o', format];
            expect(await ours(args, input)).toBe(theirs(args, input));
          }),
          { numRuns: 60 },
        );
      },
      90_000,
    );

    test.each([
      [['flatten', '-f', '-'], '# ini\nkey = "ref+echo://a/b"\nother=ref+file://@/d.yaml#/a/n\n'],
      [['get', 'x-ref+envsubst://$NAME+-y'], ''],
      [['get', 'ref+envsubst://x/${UNSET:-$NAME}'], ''],
      [['eval'], 'a: 0644\nb: 1_000\nc: 0b11\nd: 08\nf: 1234567.5\ng: 0.00001\nh: -0x1F\n'],
      [['eval'], 'a: !!binary aGVsbG8=\nb: !!binary /w==\nc: .nan\nd: !!set {x}\n'],
      [['get', 'ref+file://@/m.yaml#/a'], ''],
      [['env', '-f', '-'], "A: it's ref+echo://a/b\n"],
      [['env', '-export', '-f', '-'], 'A: ref+echo://a/b\n'],
      [['eval', '-exclude-secret'], 'a: ref+echo://x/y\nb: secretref+echo://x/y\n---\n- c: ref+echo://x/y\n'],
      [
        ['ksdecode', '-f', '-'],
        'kind: Secret\ndata: {a: eA==}\nstringData: {b: y}\n---\nkind: Other\ndata: {a: x}\n',
      ],
      [['eval', '-decode-kubernetes-secrets'], 'kind: Secret\ndata: {a: cmVmK2VjaG86Ly94L3k=}\n'],
      [['eval', '-fail-on-missing-key-in-map=false', '-o', 'json'], 'a: ref+file://@/d.yaml#/none\n'],
      [
        ['eval'],
        String.raw`{"a": "x\u007f", "b": "t \ny", "c": "😀\n: ", "d": "\u0000\b\f\u001b", "e": "a\u0085b"}`,
      ],
      [['eval', '-o', 'json'], 'a: ref+tfstate://@/s.tfstate/output.o\n'],
      [['get', 'ref+tfstate://@/s.tfstate/t.n[1].a["x.y"]'], ''],
      [['exec', '-f', '-', '--', '/bin/sh', '-c', 'echo $A'], 'A: ref+echo://a/b\n'],
    ])('%j', async (args, input) => {
      if (args[0] !== 'exec') expect(await ours(args, here(input))).toBe(theirs(args, here(input)));
      else expect(theirs(args, here(input))).toBe('a/b\n');
    });
  },
);
