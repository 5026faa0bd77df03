import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { OutputName } from '../../../src/checks/goss/outputs/output.ts';
import { loadVariables } from '../../../src/checks/goss/template/variables.ts';
import { TempFolder } from './files.ts';
import { GOSS, goss, present } from './real-goss.ts';
import { comparable, runFile } from './run-file.ts';

const file = (name: string): string => fileURLToPath(new URL(`oracle/${name}`, import.meta.url));

/** 0.4.9 names the type of a text that it read; the version of the conformance cases shows the text. */
function withoutReaders(text: string): string {
  return text.replace(
    /( *)(("|&#34;)(?:object: \*strings\.Reader|foo\\nbar\\n|\[foo bar\]|x\\r\\ny\\r\\n|)\3)(\n? *to have patterns)/g,
    '$1READER$4',
  );
}

/** JSON without times. */
function timeless(text: string): unknown {
  const times = new Set(['start-time', 'end-time', 'duration', 'total-duration', 'found-elements']);
  const value = JSON.parse(text, (key, inner: unknown) =>
    times.has(key) ? undefined : typeof inner === 'string' ? withoutReaders(comparable(inner)) : inner,
  ) as { results: { 'matcher-result': { actual: unknown; message: string } }[] };
  for (const { 'matcher-result': m } of value.results)
    if (m.message === 'to have patterns') m.actual = 'READER';
  return value;
}

describe.skipIf(!present)('the same as goss itself', () => {
  const texts: OutputName[] = ['documentation', 'rspecish', 'tap', 'nagios', 'silent', 'junit'];
  const inputs = ['matchers.yaml', 'matchers-2.yaml'];
  test.each(inputs.flatMap((input) => texts.map((format) => ({ input, format }))))(
    '$input as $format',
    async ({ input, format }) => {
      const theirs = goss(file(input), format);
      const ours = await runFile(file(input), format);
      const clean = (text: string): string =>
        withoutReaders(comparable(text)).replace(/time(?:stamp)?="[^"]*"/g, '');
      expect(clean(ours.text)).toBe(clean(theirs.text));
      expect(ours.exitCode).toBe(theirs.code);
    },
  );

  test('templates', async () => {
    using folder = new TempFolder();
    const path = folder.write('templates.yaml', readFileSync(file('templates.txt'), 'utf8'));
    const vars = file('vars.yaml');
    const { stdout } = spawnSync(
      GOSS,
      ['--vars', vars, '-g', path, 'validate', '-f', 'tap', '-o', 'sort', '--no-color'],
      { encoding: 'utf8', timeout: 20_000 },
    );
    const load = { vars: loadVariables(vars, undefined) };
    const ours = await runFile(path, 'tap', { load });
    expect(ours.text.split('\n')).toEqual(stdout.split('\n'));
  });

  test.each(
    inputs.flatMap((input) => (['json', 'structured'] as const).map((format) => ({ input, format }))),
  )('$input as $format', async ({ input, format }) => {
    const theirs = goss(file(input), format);
    const ours = await runFile(file(input), format);
    expect(timeless(ours.text)).toEqual(timeless(theirs.text));
    expect(ours.exitCode).toBe(theirs.code);
  });
});
