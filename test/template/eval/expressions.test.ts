import { describe, expect, test } from 'vitest';
import { emptyScope, valueFromJson, withVariables } from '../../../src/template/index.ts';
import { numberToText, type Decimal } from '../../../src/template/value/number.ts';
import { VOLATILE, sensitiveMark } from '../../../src/template/value/marks.ts';
import { STRING } from '../../../src/template/value/type.ts';
import { deepMarks, mark, string, unknown } from '../../../src/template/value/value.ts';
import { run, testScope, value } from '../evaluate-text.ts';

const scope = withVariables(testScope(), {
  a: valueFromJson({ b: [1, 2, { c: 'deep' }], 'x-y': true, none: null }),
  list: valueFromJson(['p', 'q', 'r']),
  secret: mark(string('hunter2'), sensitiveMark('var.password')),
  later: unknown(STRING, VOLATILE),
});

describe('values of expressions', () => {
  test.each<[string, unknown]>(
    [
      ['1 + 2 * 3 - 4 / 2', 5],
      ['(1 + 2) * 3', 9],
      ['7 % 3', 1],
      ['-7 % 3', -1],
      ['2 - -2', 4],
      ['1 < 2 && 2 <= 2 || false', true],
      ['!(1 == 1)', false],
      ['1 == "1"', false],
      ['[] == []', true],
      ['{ a = 1 } == { a = 1 }', true],
      ['null == null', true],
      ['true ? "yes" : 2', 'yes'],
      ['false ? "yes" : 2', '2'],
      ['true ? null : 2', null],
      ['true ? 1 : no_such', 1],
      ['a.b[2].c', 'deep'],
      ['a["b"][0]', 1],
      ['a.b.1', 2],
      ['a.x-y', true],
      ['a.none == null', true],
      ['list[*]', ['p', 'q', 'r']],
      ['list.*', ['p', 'q', 'r']],
      ['[{ v = [1] }, { v = [2] }][*].v[0]', [1, 2]],
      ['[{ v = 1 }, { v = 2 }].*.v[0]', 1],
      ['null[*]', []],
      ['"one"[*]', ['one']],
      ['[for x in list : upper(x)]', ['P', 'Q', 'R']],
      ['[for i, x in list : "${i}${x}" if i != 1]', ['0p', '2r']],
      ['{ for i, x in list : x => i }', { p: 0, q: 1, r: 2 }],
      ['{ for x in ["a1", "a2", "b1"] : substr(x, 0, 1) => x... }', { a: ['a1', 'a2'], b: ['b1'] }],
      ['[for k, v in { b = 1, a = 2 } : k]', ['a', 'b']],
      ['{ a = 1, "b" : 2, (list[0]) = 3 }', { a: 1, b: 2, p: 3 }],
      ['{\n a = 1\n\n # why\n b = 2 }', { a: 1, b: 2 }],
      ['max([1, 5, 3]...)', 5],
      ['"${[1, 2]}"', [1, 2]],
      ['"n: ${1 + 1}"', 'n: 2'],
      ['"%{ if true }yes%{ else }no%{ endif }"', 'yes'],
      ['"%{ for x in list ~} ${x} %{ endfor ~}"', 'p q r '],
      ['"%{ for i, x in list }${i}=${x};%{ endfor }"', '0=p;1=q;2=r;'],
      ['"a   ${~ "b" ~}   c"', 'abc'],
      ['"$${a} %%{b} \\" \\\\ \\n \\u00e9 \\U0001F600"', '${a} %{b} " \\ \n é 😀'],
      ['"$$${1}"', '$${1}'],
      ['<<EOT\n  one ${1}\nEOT\n', '  one 1\n'],
      ['<<-EOT\n    one\n\n      two\n    EOT\n', 'one\n\n  two\n'],
      ['<<EOT\n$${x} "quoted" \\n\nEOT\n', '${x} "quoted" \\n\n'],
      ['<<-E\n  %{ for x in list ~}\n  ${x}\n  %{ endfor ~}\nE\n', 'p\nq\nr\n'],
      ['try(a.nope, list[9], "fallback")', 'fallback'],
      ['can(list[0])', true],
      ['can(list[9])', false],
      ['convert("12", number)', 12],
      ['convert(["b", "a", "b"], set(string))', ['a', 'b']],
      ['0x', undefined],
    ].filter(([, v]) => v !== undefined) as [string, unknown][],
  )('%s', (text, expected) => {
    expect(value(text, scope)).toEqual(expected);
  });

  test.each([
    ['0.1 + 0.2', '0.3'],
    ['18446744073709551616 + 1', '18446744073709551617'],
    ['pow(2, 100)', '1267650600228229401496703205376'],
    ['1e3', '1000'],
    ['1.50', '1.5'],
    ['1 / 8', '0.125'],
    ['1 / 3 * 3 == 1 ? 1 : 0', '0'],
  ])('%s has all its digits: %s', (text, digits) => {
    const { value: result } = run(text, scope);
    expect(numberToText(result.data as Decimal)).toBe(digits);
  });
});

describe('what is wrong is said, with the place', () => {
  test.each([
    ['lsit', 'template/unknown-variable', 'Did you mean "list"?', 'lsit'],
    ['a.bb', 'template/unknown-attribute', 'Did you mean "b"?', '.bb'],
    ['list[3]', 'template/out-of-range', undefined, '[3]'],
    ['list.p', 'template/unknown-attribute', undefined, '.p'],
    ['uper("x")', 'template/unknown-function', 'Did you mean "upper"?', 'uper'],
    ['upper(1, 2)', 'template/function-failed', undefined, 'upper(1, 2)'],
    ['upper(list)', 'template/function-failed', undefined, 'list'],
    ['1 + "x"', 'template/wrong-type', undefined, '"x"'],
    ['1 / 0', 'template/out-of-range', undefined, '1 / 0'],
    ['"x${list}"', 'template/wrong-type', undefined, 'list'],
    ['"x${null}"', 'template/null-value', undefined, 'null'],
    ['[for x in 1 : x]', 'template/wrong-type', undefined, '1'],
    ['{ for x in ["a", "a"] : x => 1 }', 'template/duplicate', undefined, 'x'],
    ['true ? 1 : [1]', 'template/wrong-type', undefined, 'true ? 1 : [1]'],
    ['null.x', 'template/null-value', undefined, '.x'],
  ])('%s', (text, code, hint, place) => {
    const { diagnostics } = run(text, scope);
    expect(diagnostics.map((d) => d.code)).toEqual([code]);
    const [found] = diagnostics;
    if (hint !== undefined) expect(found?.hint).toBe(hint);
    expect(text.slice(found?.range?.start.offset, found?.range?.end.offset)).toBe(place);
  });

  test('several at once', () => {
    expect(run('[nope1, nope2, 1 + "x"]', scope).diagnostics).toHaveLength(3);
  });
});

describe('unknown values', () => {
  test.each([
    'later',
    '"x${later}"',
    'upper(later)',
    '[for x in later : x]',
    'later == "x"',
    'later == "x" ? 1 : 2',
    '{ k = later }.k',
  ])('%s stays unknown and volatile', (text) => {
    const { value: result, errors } = run(text, scope);
    expect(errors).toEqual([]);
    expect(result.data).toBeUndefined();
    expect(deepMarks(result).volatile).toBe(true);
  });

  test('what does not depend on it is known', () => {
    expect(value('length([later, later])', scope)).toBe(2);
    expect(value('false && later == "x"', scope)).toBe(false);
    expect(value('keys({ a = later })', scope)).toEqual(['a']);
  });
});

describe('marks', () => {
  test.each([
    'secret',
    '"pw=${secret}"',
    'upper(secret)',
    '{ k = secret }.k',
    '[secret][0]',
    'secret == "" ? 1 : 2',
    '[for x in [secret] : x]',
    'join(",", [secret, "b"])',
    'jsonencode({ a = [secret] })',
    '"%{ if secret == "x" }a%{ endif }"',
    '{ (secret) = 1 }',
    'try(secret, 1)',
    'merge({ a = secret }, { b = 1 })',
    'length(secret)',
    'convert([secret], set(string))',
    'list[length(secret) - 7]',
  ])('%s is sensitive', (text) => {
    const { value: result, errors } = run(text, scope);
    expect(errors).toEqual([]);
    expect([...deepMarks(result).sensitive]).toEqual(['var.password']);
  });

  test('beside it nothing is', () => {
    expect(deepMarks(run('{ k = secret, l = "x" }.l', scope).value).sensitive.size).toBe(0);
  });

  test('an error shows no part of it', () => {
    expect(JSON.stringify(run('1 + secret', scope).diagnostics)).not.toContain('hunter2');
    expect(JSON.stringify(run('convert(secret, bool)', scope).diagnostics)).not.toContain('hunter2');
  });
});

test('names of prototypes are names like others', () => {
  const { value: result } = run(
    '{ __proto__ = { polluted = 1 }, constructor = 2, toString = 3 }',
    emptyScope(),
  );
  expect(
    Object.keys(JSON.parse(JSON.stringify([...(result.data as ReadonlyMap<string, unknown>).keys()]))),
  ).toHaveLength(3);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(run('{ a = 1 }.__proto__', emptyScope()).diagnostics[0]?.code).toBe('template/unknown-attribute');
  expect(run('__proto__', emptyScope()).diagnostics[0]?.code).toBe('template/unknown-variable');
  expect(run('constructor()', emptyScope()).diagnostics[0]?.code).toBe('template/unknown-function');
});
