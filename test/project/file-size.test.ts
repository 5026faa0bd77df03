import { expect, test } from 'vitest';
import { filesBelow, read } from './source-files.ts';

test('a source file has one concern: at most 450 lines, and no drawer for everything', () => {
  const long = filesBelow('src', '.ts')
    .map((path) => [path, read(path).split('\n').length] as const)
    .filter(([, lines]) => lines > 450);
  expect(long).toEqual([]);
  expect(filesBelow('src', 'utils.ts', 'helpers.ts', 'misc.ts', 'common.ts')).toEqual([]);
});

test('only reporters and the command line print, and only the command line ends the process', () => {
  const printing = filesBelow('src', '.ts')
    .filter((path) => !/^src\/(cli|reporters|web)\//.test(path))
    .filter((path) =>
      /\bconsole\.(log|error|warn|info|debug|trace|table)\(|\bprocess\.(stdout\.write|stderr\.write|exit)\(|\bprocess\.argv\b/.test(
        read(path),
      ),
    );
  expect(printing).toEqual([]);
});
