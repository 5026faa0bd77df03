import { expect, test } from 'vitest';
import { attr, bodySpec } from '../../src/core/body-spec.ts';
import { resolveReferences, textsWithReferences } from '../../src/core/references.ts';

const spec = bodySpec({
  inline: attr.strings('Commands.'),
  environment_vars: attr.strings('Variables.', { references: true }),
  env: attr.stringMap('Variables.', { references: true }),
});
const options = {
  inline: ['echo ref+vault://stays/as#/it-is'],
  environment_vars: ['A=ref+vault://a#/b', 'PLAIN=x'],
  env: { B: 'ref+vault://c#/d' },
};

test('references are resolved in the options that may have them, and nowhere else', async () => {
  const asked: string[] = [];
  const resolve = async (text: string): Promise<string> => {
    asked.push(text);
    return text.replace(/ref\+.*/, 'value');
  };
  expect(await resolveReferences(options, spec, { resolve })).toEqual({
    inline: ['echo ref+vault://stays/as#/it-is'],
    environment_vars: ['A=value', 'PLAIN=x'],
    env: { B: 'value' },
  });
  expect(asked).toEqual(['A=ref+vault://a#/b', 'ref+vault://c#/d']);
  expect(textsWithReferences(options, spec)).toEqual(asked);
  expect(options.env.B).toBe('ref+vault://c#/d');
});

test('options without any stay what they are', async () => {
  const plain = { inline: ['x'] };
  const resolve = (): Promise<string> => Promise.reject(new Error('asked'));
  expect(await resolveReferences(plain, spec, { resolve })).toBe(plain);
  expect(textsWithReferences(undefined, spec)).toEqual([]);
});
