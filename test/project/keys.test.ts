import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { catalog } from '../../src/app/catalog.ts';
import type { Plugin } from '../../src/core/plugin.ts';
import { communicatorAttributes } from '../../src/machines/communicator-spec.ts';

const page = (path: string): string => readFileSync(`docs/${path}.md`, 'utf8');
const names = (text: string, key: string): boolean => new RegExp(`\\b${key}\\b`).test(text);

const FOLDERS: readonly (readonly [string, ReadonlyMap<string, Plugin<never>>])[] = [
  ['sources', catalog.sources],
  ['provisioners', catalog.provisioners],
  ['post-processors', catalog.postProcessors],
  ['data-sources', catalog.dataSources],
];
const plugins = FOLDERS.flatMap(([folder, all]) =>
  [...all].map(([type, plugin]) => [`${folder}/${type}`, plugin] as const),
);

test.each(plugins)('the page of %s names every key that is taken or refused', async (path, plugin) => {
  const text = page(path);
  const { attributes, blocks } = await plugin.schema();
  const unnamed = [...Object.keys(attributes), ...Object.keys(blocks)].filter((key) => !names(text, key));
  // What all communicators have stands on null's page, which has no others left out.
  const common = path === 'sources/null' ? {} : communicatorAttributes;
  expect(unnamed.filter((key) => !Object.hasOwn(common, key))).toEqual([]);
});
