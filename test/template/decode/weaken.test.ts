import { expect, test } from 'vitest';
import type { ValueType } from '../../../src/core/body-spec.ts';
import { toPlain } from '../../../src/template/decode/plain.ts';
import { weaken } from '../../../src/template/decode/weaken.ts';
import { valueFromJson } from '../../../src/template/value/json.ts';
import { sensitiveMark } from '../../../src/template/value/marks.ts';
import { STRING } from '../../../src/template/value/type.ts';
import { mark, NULL, string, unknown } from '../../../src/template/value/value.ts';

const LIST: ValueType = { list: 'string' };
const MAP: ValueType = { map: 'string' };

test.each<[unknown, ValueType, unknown]>([
  [1, 'bool', true],
  [0, 'bool', false],
  ['T', 'bool', true],
  ['', 'bool', false],
  ['yes', 'bool', 'yes'],
  [[], 'bool', []],
  [true, 'string', '1'],
  [false, 'string', '0'],
  [2.5, 'string', 2.5],
  ['', 'number', 0],
  [2.5, 'number', 2],
  [-2.5, 'number', -2],
  ['2.5', 'number', '2.5'],
  [true, 'number', 1],
  ['0x10', 'number', 16],
  ['-010', 'number', -8],
  ['5', 'number', '5'],
  ['5s', 'number', '5s'],
  ['a', LIST, ['a']],
  [true, LIST, ['1']],
  ['', LIST, []],
  [{}, LIST, []],
  [{ a: 1 }, LIST, { a: 1 }],
  [['a', true], { set: 'string' }, ['a', '1']],
  [[], MAP, {}],
  [[{ a: 'b' }, { a: 'c', d: true }], MAP, { a: 'c', d: '1' }],
  [['a'], MAP, ['a']],
  [{ a: true }, 'any', { a: true }],
])('%j as %j is %j', (value, type, expected) =>
  expect(toPlain(weaken(valueFromJson(value as never), type))).toEqual(expected),
);

test('what is not known yet', () => {
  expect(weaken(unknown(STRING), LIST).type.kind).toBe('tuple');
  expect(weaken(unknown(STRING), 'bool')).toEqual(unknown(STRING));
  expect(weaken(NULL, LIST)).toBe(NULL);
});

test('what is secret stays secret', () => {
  const marks = sensitiveMark('var.x');
  expect(weaken(mark(string('1'), marks), 'bool').marks).toEqual(marks);
  expect(weaken(mark(string(''), marks), LIST).marks).toEqual(marks);
});
