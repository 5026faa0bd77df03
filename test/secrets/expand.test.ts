import { describe, expect, test } from 'vitest';
import { expandDocument } from '../../src/secrets/expand-document.ts';
import { expandText } from '../../src/secrets/expand.ts';
import type { Reference } from '../../src/secrets/reference.ts';

/** Values by path; every path that was asked for is written down. */
function store(values: Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  const lookup = async ({ backend, path }: Reference): Promise<unknown> => {
    asked.push(`${backend}:${path}`);
    if (Object.hasOwn(values, path)) return values[path];
    throw new Error(`no ${path}`);
  };
  return { asked, lookup };
}

const values = {
  'a/text': 'T',
  'a/number': 5,
  'a/big': 12345678901234567890n,
  'a/bool': true,
  'a/map': { x: [1, 'two'] },
  'a/null': null,
  'a/evil': 'x ref+exec://rm/-rf?a=b#c "ref+file:///etc/shadow',
  'a/up': '../../etc/shadow',
};

describe('types', () => {
  test.each([
    ['ref+v://a/text', 'T'],
    ['ref+v://a/number', 5],
    ['ref+v://a/bool', true],
    ['ref+v://a/map+', { x: [1, 'two'] }],
    ['ref+v://a/null', null],
    ['n=ref+v://a/number', 'n=5'],
    ['b=ref+v://a/big', 'b=12345678901234567890'],
    ['ref+v://a/bool+!', 'true!'],
    ['plain', 'plain'],
  ])('%s', async (text, expected) => expect(await expandText(text, store(values))).toEqual(expected));

  test.each([
    ['x ref+v://a/map', 'a map'],
    ['x ref+v://a/null', 'nothing'],
  ])('%s does not fit into a text', async (text, what) => {
    await expect(expandText(text, store(values))).rejects.toMatchObject({
      code: 'secrets/not-scalar',
      message: expect.stringContaining(what) as string,
    });
  });
});

describe('values of strangers', () => {
  test('are data: nothing in them is expanded', async () => {
    const { asked, lookup } = store(values);
    expect(await expandText('ref+v://a/evil', { lookup })).toBe(values['a/evil']);
    expect(await expandText('<ref+v://a/evil+>', { lookup })).toBe(`<${values['a/evil']}>`);
    expect(asked).toEqual(['v:a/evil', 'v:a/evil']);
  });

  test('add no reference, parameter or fragment to the reference around them', async () => {
    const asked: Reference[] = [];
    const lookup = async (reference: Reference): Promise<unknown> => {
      asked.push(reference);
      return reference.path === 'a/evil' ? values['a/evil'] : 'fine';
    };
    expect(await expandText('ref+v://b/ref+v://a/evil', { lookup })).toBe('fine');
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatchObject({ backend: 'v', path: `b/${values['a/evil']}`, fragment: '' });
    expect(asked[1]?.params.size).toBe(0);
  });

  test('do not lead out of a folder', async () => {
    await expect(expandText('ref+file:///srv/ref+v://a/up', store(values))).rejects.toMatchObject({
      code: 'secrets/hostile-value',
    });
  });

  test.each([
    ['two that make a way up together', 'ref+file:///srv/ref+v://a/dot+ref+v://a/dot+/x'],
    ['one that completes a dot that is written', 'ref+file:///srv/.ref+v://a/dot+/x'],
  ])('do not lead out of a folder: %s', async (_, text) => {
    await expect(expandText(text, store({ 'a/dot': '.' }))).rejects.toMatchObject({
      code: 'secrets/hostile-value',
    });
  });

  test('do not forbid a way up that is written', async () => {
    const asked: Reference[] = [];
    const lookup = async (reference: Reference): Promise<unknown> => {
      asked.push(reference);
      return 'web';
    };
    await expandText('ref+file:///srv/../ref+v://a/name+/x', { lookup });
    expect(asked[1]?.path).toBe('/srv/../web/x');
  });

  test('are expanded where that is allowed, ten deep', async () => {
    const chain = store({ 'a/1': 'one ref+v://a/2', 'a/2': 'two', 'a/loop': 'ref+v://a/loop' });
    expect(await expandText('ref+v://a/1', { ...chain, valueDepth: 10 })).toBe('one two');
    expect(await expandText('ref+v://a/loop', { ...chain, valueDepth: 3 })).toBe('ref+v://a/loop');
    expect(chain.asked.filter((path) => path === 'v:a/loop')).toHaveLength(4);
  });
});

test('everything that fails is told, each once', async () => {
  const failure = expandText('ref+v://no/1 ref+v://no/2 ref+v://no/1 ref+v://a/text', store(values));
  await expect(failure).rejects.toMatchObject({ message: 'no no/1; no no/2' });
});

describe('documents', () => {
  test('texts are expanded wherever they stand, scalars in lists, too', async () => {
    const document = ['ref+v://a/text', 7, { k: ['ref+v://a/map', { d: 'x-ref+v://a/number' }], n: null }];
    expect(await expandDocument(document, store(values))).toEqual([
      'T',
      7,
      { k: [{ x: [1, 'two'] }, { d: 'x-5' }], n: null },
    ]);
  });

  test('a reference in the place of a key gives way to what it holds', async () => {
    const inner = store({ 'a/yaml': 'x: 1\nkept: won\n', 'a/text': 'T' });
    const document = { 'ref+v://a/yaml': {}, kept: 'lost', other: 'ref+v://a/text' };
    expect(await expandDocument(document, inner)).toEqual({ x: 1, kept: 'won', other: 'T' });
  });

  test.each(['just text', '[1]', '5'])('a key that leads to no map, but to %j, is refused', async (text) => {
    await expect(expandDocument({ 'ref+a://x/y': {} }, { lookup: async () => text })).rejects.toMatchObject({
      code: 'secrets/bad-document',
    });
  });

  test('a reference as a key of a text stays a key', async () => {
    expect(await expandDocument({ 'ref+v://a/text': 'x' }, store(values))).toEqual({ 'ref+v://a/text': 'x' });
  });
});
