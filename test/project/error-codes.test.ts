import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesBelow, read, root, withoutComments } from './source-files.ts';

const rooms = [...readdirSync(join(root, 'src')), ...readdirSync(join(root, 'docs/errors'))];

const thrown = /\b(?:IngotError\(|code:)\s*(['"`])([a-z][a-z0-9-]*\/[a-z0-9-]+)\1/g;
const literal = /(['"`])([a-z-]+)(\/[a-z0-9]+(?:-[a-z0-9]+)*)\1/g;

/** Error codes in a source text: what is thrown or reported, and any literal `room/name` of a known room. */
function codesIn(text: string): string[] {
  const code = withoutComments(text);
  const found = new Set([...code.matchAll(thrown)].map((match) => match[2] as string));
  for (const match of code.matchAll(literal)) {
    if (rooms.includes(match[2] as string)) found.add(`${match[2]}${match[3]}`);
  }
  return [...found].sort();
}

/** Beginnings of codes whose end is computed: `plan/unknown-` of \`plan/unknown-${kind}\`. */
function computedIn(text: string): string[] {
  const code = withoutComments(text);
  return [...code.matchAll(/\b(?:IngotError\(|code:)\s*`([a-z][a-z-]*\/[a-z-]+-)\$\{\w+\}`/g)].map(
    (match) => match[1] as string,
  );
}

const sources = filesBelow('src', '.ts').map(read);
const computed = sources.flatMap(computedIn);
const used = new Set(sources.flatMap(codesIn));
const documented = new Set(
  filesBelow('docs/errors', '.md').map((path) => path.slice('docs/errors/'.length, -3)),
);

test('every error code has a page in docs/errors', () => {
  expect(used.size).toBeGreaterThan(0);
  expect([...used].filter((code) => !documented.has(code)).sort()).toEqual([]);
});

test('every page in docs/errors is about a code that the source uses', () => {
  const isComputed = (code: string): boolean => computed.some((start) => code.startsWith(start));
  expect([...documented].filter((code) => !used.has(code) && !isComputed(code)).sort()).toEqual([]);
});

test('a page says more than its title', () => {
  const thin = [...documented].filter(
    (code) => read(`docs/errors/${code}.md`).split('\n').filter(Boolean).length < 2,
  );
  expect(thin).toEqual([]);
});

test('where the end of a code is computed, at least one page begins so', () => {
  const lonely = computed.filter((start) => ![...documented].some((code) => code.startsWith(start)));
  expect(lonely).toEqual([]);
});

test('codes are found where they are used', () => {
  expect(codesIn("throw new IngotError('core/a-b', x); report({ code: 'plan/cycle' }) // 'core/no'")).toEqual(
    ['core/a-b', 'plan/cycle'],
  );
  expect(codesIn("new IngotError(\n  'new-room/x', m)")).toEqual(['new-room/x']);
  expect(codesIn("join('etc/hosts'); 'core/File'; './core/a'")).toEqual([]);
});
