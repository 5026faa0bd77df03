import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contextDigest, contextPaths } from '../../../src/sources/dockerfile/context.ts';
import { parseIgnore } from '../../../src/sources/dockerfile/ignore.ts';
import { baseImage, stagesUpTo, usedImages, withImages } from '../../../src/sources/dockerfile/images.ts';
import { parseInstructions, parseStages } from '../../../src/sources/dockerfile/parse.ts';

const imagesOf = (text: string, given = {}): string[] =>
  usedImages(parseStages(text, given)).map(({ reference, line }) => `${line + 1} ${reference}`);

test.each<[string, string, string[]]>([
  ['a stage is no image', 'FROM a AS x\nFROM x\nFROM X', ['1 a']],
  ['scratch is none', 'FROM scratch\nCOPY --from=b /x /', ['2 b']],
  ['a number is a stage in COPY', 'FROM a\nFROM b\nCOPY --from=0 /x /', ['1 a', '2 b']],
  ['a later stage is no stage yet', 'FROM a\nCOPY --from=x / /\nFROM b AS x', ['1 a', '2 x', '3 b']],
  ['variables', 'ARG T=1\nARG N="n"\nFROM ${N}:$T', ['3 n:1']],
  ['defaults', 'ARG T\nFROM a:${T:-2}${X:+no}', ['2 a:2']],
  ['a platform', 'FROM --platform=linux/arm64 a', ['1 a']],
  [
    'mounts',
    'FROM a\nRUN --mount=type=bind,from=m,target=/m --mount=type=cache,target=/c true',
    ['1 a', '2 m'],
  ],
  ['lines go on, with comments in between', 'FROM \\\n# here\n  a \\\n  AS x\nRUN y', ['1 a']],
  ['another escape', '# escape=`\nFROM `\n a', ['2 a']],
  ['text in RUN', 'FROM a\nRUN <<E\nFROM b\nE\nCOPY --from=c / /', ['1 a', '5 c']],
])('images: %s', (_what, text, images) => {
  expect(imagesOf(text)).toEqual(images);
});

test('arguments win over defaults', () => {
  expect(imagesOf('ARG T=1\nFROM a:$T', { T: '2' })).toEqual(['2 a:2']);
});

test.each([
  ['', /no FROM/],
  ['RUN x', /in front of the first FROM/],
  ['FROM', /FROM image/],
  ['FROM a b c', /FROM image/],
  ['FROM $X', /variable X has no value/],
  ['FROM a\n!?', /line 2 .* no instruction/],
])('%j cannot be read', (text, message) => {
  expect(() => parseStages(text, {})).toThrow(message);
});

test('any text is read or refused', () => {
  const parts = fc.constantFrom(
    'FROM a',
    'RUN x \\',
    '#',
    '<<E',
    ' AS b',
    '\n',
    '--from=',
    '$',
    '{',
    '`',
    'ARG',
    ' ',
    'é',
  );
  fc.assert(
    fc.property(
      fc.array(parts).map((all) => all.join('')),
      (text) => {
        try {
          for (const { line, end } of parseInstructions(text)) expect(line).toBeLessThan(end);
          parseStages(text, {});
        } catch (error) {
          expect(error).toMatchObject({ code: 'source/bad-dockerfile' });
        }
      },
    ),
  );
});

const TEXT = 'FROM \\\n  a:1 AS x\nFROM x AS y\nCOPY --from=b:2 /b /b\nFROM c:3\nCOPY --from=y / /';

test('stages up to a target, and the image below them', () => {
  const stages = parseStages(TEXT, {});
  expect([undefined, 'y', 'X', '0'].map((target) => baseImage(stagesUpTo(stages, target)))).toEqual([
    'c:3',
    'a:1',
    'a:1',
    'a:1',
  ]);
  expect(() => stagesUpTo(stages, 'z')).toThrow(/no stage "z"/);
  expect(baseImage(parseStages('FROM scratch', {}))).toBeUndefined();
});

test('images are replaced where they stand', () => {
  const pinned = new Map(['a:1', 'b:2', 'c:3'].map((name) => [name, `r/${name[0]}@d`]));
  expect(withImages(TEXT, parseStages(TEXT, {}), pinned)).toBe(
    'FROM r/a@d AS x\n\nFROM x AS y\nCOPY --from=r/b@d /b /b\nFROM r/c@d\nCOPY --from=y / /',
  );
});

test.each<[string, string[], string[]]>([
  ['*.log', ['a.log', 'x.logs'], ['a.log']],
  ['**/*.log', ['a.log', 'x/y/a.log'], ['a.log', 'x/y/a.log']],
  ['/out/', ['out', 'out/x', 'x/out'], ['out', 'out/x']],
  ['*\n!keep/**', ['a', 'keep/a'], ['a']],
  ['a?[bc]', ['axb', 'axd', 'a/b'], ['axb']],
  ['# no\n\n!\n', ['# no'], []],
  ['a.b', ['axb', 'a.b'], ['a.b']],
])('.dockerignore %j', (text, paths, out) => {
  expect(paths.filter(parseIgnore(text))).toEqual(out);
});

test('what COPY and ADD name is the context, without what is ignored', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-dockerfile-'));
  try {
    for (const path of ['site/a', 'site/b.log', 'conf/x.d/1', 'other', 'bound/z', 'ingot.lock.json']) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), path);
    }
    writeFileSync(join(dir, '.dockerignore'), '**/*.log');
    const pathsOf = (text: string) => contextPaths(dir, parseStages(`FROM a\n${text}`, {}));
    expect(await pathsOf('RUN x')).toEqual([]);
    expect(await pathsOf('COPY site /srv')).toEqual(['site', 'site/a']);
    expect(await pathsOf('COPY --chown=1 ["conf/x.d/*", "/etc/"]')).toEqual([
      'conf',
      'conf/x.d',
      'conf/x.d/1',
    ]);
    expect(await pathsOf('RUN --mount=type=bind,source=bound,target=/m x')).toEqual(['bound', 'bound/z']);
    expect(await pathsOf('COPY --from=b /x /')).toEqual([]);
    expect(await pathsOf('ADD https://example.org/x /')).toEqual([]);
    expect(await pathsOf('COPY . /')).toHaveLength(10);
    await expect(pathsOf('COPY ../x /')).rejects.toMatchObject({ code: 'source/outside-context' });

    const paths = await pathsOf('COPY site /srv');
    const before = await contextDigest(dir, paths);
    writeFileSync(join(dir, 'other'), 'changed');
    expect(await contextDigest(dir, paths)).toBe(before);
    writeFileSync(join(dir, 'site/a'), 'changed');
    expect(await contextDigest(dir, paths)).not.toBe(before);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
