import { expect, test } from 'vitest';
import { splitPatterns } from '../../src/cli/template-options.ts';

test.each([
  ['a', ['a']],
  ['a,b', ['a', 'b']],
  ['', ['']],
  ['null.{web,db},b', ['null.{web,db}', 'b']],
  ['{a,{b,c}},d', ['{a,{b,c}}', 'd']],
  ['a\\,b,c', ['a\\,b', 'c']],
  ['a},b', ['a}', 'b']],
  ['\\{a,b', ['\\{a', 'b']],
])('%s', (list, patterns) => {
  expect(splitPatterns(list)).toEqual(patterns);
});
