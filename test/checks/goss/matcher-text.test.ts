import { describe, expect, test } from 'vitest';
import { TempFolder } from './files.ts';
import { goss, present } from './real-goss.ts';
import { runFile } from './run-file.ts';

/** What goss 0.4.9 itself says of each: found by comparing thousands of made-up files with it. */
const CASES: readonly { readonly name: string; readonly yaml: string; readonly says: string }[] = [
  {
    name: 'numbers as Go reads them',
    yaml: '{content: "1_000", matches: {lt: 5}}',
    says: 'Expected\n    1000\nto be numerically lt\n    5',
  },
  {
    name: 'hexadecimal numbers',
    yaml: '{content: "0x1F.8p1", matches: {lt: 5}}',
    says: 'Expected\n    63\nto be numerically lt\n    5',
  },
  {
    name: 'a hexadecimal number without an exponent',
    yaml: '{content: "0x1F", matches: {lt: 5}}',
    says: 'Error\n    matchers.ToNumeric{}: strconv.ParseFloat: parsing "0x1F": invalid syntax',
  },
  {
    name: 'nothing among the elements of a wrong argument',
    yaml: '{content: x, matches: {have-suffix: [null, 65]}}',
    says: "Error\n    Syntax Error: Invalid 'have-suffix' argument. Expected string value, but received: []interface {}: [<nil> 'A']",
  },
  {
    name: 'an element of more than 20 bytes, each element on a line of its own, by depth',
    yaml: '{content: {b: [{x: "three words are long"}, null]}, matches: {lt: 1}}',
    says: `Error
    matchers.ToNumeric{}: Expected numeric, Got:    <map[string]interface {} | len:1>: {
            "b": <[]interface {} | len:2, cap:2>[
                <map[string]interface {} | len:1>{
                    "x": <string>"three words are long",
                },
                nil,
            ],
        }`,
  },
  {
    name: 'characters that do not print',
    yaml: '{content: ["\\u2028\\a"], matches: {lt: 1}}',
    says: 'Error\n    matchers.ToNumeric{}: Expected numeric, Got:    <[]interface {} | len:1, cap:1>: [<string>"\\u2028\\a"]',
  },
  {
    name: 'a list that was read from JSON grew as it was read',
    yaml: `{content: '{"a":[1,2,3]}', matches: {gjson: {a: {have-key: x}}}}`,
    says: 'Error\n    HaveKey matcher expects a map.  Got:    <[]interface {} | len:3, cap:4>: [<float64>1, <float64>2, <float64>3]',
  },
  {
    name: 'no way of transforms where nothing became nothing',
    yaml: '{content: null, matches: {gjson: {a: 1}}}',
    says: 'Error\n    matchers.Gjson{Path:"a"}: Expected string, Got:    <nil>: nil\n\nTotal',
  },
  {
    name: 'patterns of nothing',
    yaml: '{content: null, matches: {gjson: {a: {have-patterns: [x]}}}}',
    says: 'Expected string, Got:    <nil>: nil',
  },
  ...(
    [
      ['{"a":{"b":5},"c":[{"a":{"b":6}}]}', '@dig:a.b', '[5,6]'],
      ['{"n":["x","y"],"v":[1]}', '@group', '[{"n":"x","v":1},{"n":"y"}]'],
      ['[{"n":1},{"n":2}]', '@join:{"preserve":true}', '{"n":1}'],
      ['[{"n":1},{"n":2}]', '@join', '{"n":2}'],
      ['[4,5]', '01', '5'],
      ['[4,5]', '@keys', '[null,null]'],
      ['4', '@values', '[4]'],
      ['{"a":1}', '..#', '1'],
      ['{"a":1}', '..0.a', '1'],
      ['{"a":"[1]"}', 'a.@fromstr', '[1]'],
      ['{"a":[1]}', 'a.@fromstr', '[1]'],
    ] as const
  ).map(([json, path, found]) => ({
    name: `gjson ${path} of ${json}`,
    yaml: `{content: '${json}', matches: {gjson: {'${path}': {equal: none}}}}`,
    says: `Expected\n    ${found}\nto equal\n    "none"`,
  })),
];

/** What a report says of the one check of a file, at its end. */
function told(text: string): string {
  return text.split('Failures/Skipped:\n\nMatching: it: matches:\n')[1] ?? '';
}

describe.each(CASES)('$name', ({ yaml, says }) => {
  const content = `matching:\n  it: ${yaml}\n`;

  test('in our words', async () => {
    using folder = new TempFolder();
    const { text, exitCode } = await runFile(folder.write('goss.yaml', content), 'documentation');
    expect(told(text)).toContain(says);
    expect(exitCode).toBe(1);
  });

  test.runIf(present)("in goss's words", () => {
    using folder = new TempFolder();
    const { text, code } = goss(folder.write('goss.yaml', content), 'documentation');
    expect(told(text)).toContain(says);
    expect(code).toBe(1);
  });
});
