import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GoTemplateError } from '../../../src/template/gotemplate/ast.ts';
import { executeGoTemplate } from '../../../src/template/gotemplate/execute.ts';
import { parseGoTemplate } from '../../../src/template/gotemplate/parse.ts';
import { cpuTime } from '../../cpu-time.ts';

const data = {
  Name: 'web',
  List: ['a', 'b'],
  Map: new Map([
    ['k', 'v'],
    ['j', 'w'],
  ]),
  Deep: { X: { Y: 1 } },
  Empty: '',
  N: 3,
};
const functions = new Map([
  ['upper', (s: unknown) => String(s).toUpperCase()],
  ['user', (s: unknown) => `user-${String(s)}`],
]);
const fill = (text: string, missingKey?: 'error' | 'zero'): string =>
  executeGoTemplate(parseGoTemplate(text), data, { functions, ...(missingKey && { missingKey }) });

describe('filled', () => {
  test.each([
    ['plain', 'plain'],
    ['{{.Name}}-{{ .Deep.X.Y }}', 'web-1'],
    ['{{user `x`}} {{ upper "y" }} {{ .Name | upper }}', 'user-x Y WEB'],
    ['{{ upper (user "a") }}', 'USER-A'],
    ['a  {{- .Name -}}  b', 'awebb'],
    ['a{{/* comment */}}b{{- /* c */ -}} c', 'abc'],
    ['{{if .Empty}}x{{else if .Name}}y{{else}}z{{end}}', 'y'],
    ['{{if not .Name}}x{{else}}y{{end}}', 'y'],
    ['{{range .List}}<{{.}}>{{end}}', '<a><b>'],
    ['{{range $i, $x := .List}}{{$i}}{{$x}}{{$.Name}} {{end}}', '0aweb 1bweb '],
    ['{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}', 'j=w;k=v;'],
    ['{{range .Empty2}}x{{else}}none{{end}}', 'none'],
    ['{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', 'a'],
    ['{{range .List}}{{if eq . "a"}}{{continue}}{{end}}{{.}}{{end}}', 'b'],
    ['{{with .Deep}}{{.X.Y}}{{end}}', '1'],
    ['{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}', '2'],
    ['{{define "T"}}[{{.}}]{{end}}{{template "T" .Name}}', '[web]'],
    ['{{block "B" .N}}<{{.}}>{{end}}', '<3>'],
    ['{{eq .N 3}} {{ne .Name "x"}} {{lt 1 2}} {{ge 2 2}} {{eq 1 2 1}}', 'true true true true true'],
    ['{{and .Name .N}} {{or .Empty "d"}}', '3 d'],
    ['{{len .List}} {{index .List 1}} {{index .Map "k"}} {{slice .Name 1 2}}', '2 b v e'],
    ['{{printf "%05.1f|%s|%q|%d" 3.14159 "s" "q" 7}}', '003.1|s|"q"|7'],
    ['{{print 1 2 "x" 3}} {{println "a" 1}}', '1 2x3 a 1\n'],
    ['{{html "<a>"}} {{urlquery "a b&"}}', '&lt;a&gt; a+b%26'],
    ['{{.List}} {{.Map}} {{nil | print}}', '[a b] map[j:w k:v] <no value>'],
    ['{{"}}"}}{{`{{`}}', '}}{{'],
    ['{{"\\u00e9\\n\\x41"}}', 'é\nA'],
    ["{{'a'}} {{0x10}} {{-1.5}}", '97 16 -1.5'],
    ['{{(index .List 0)}}', 'a'],
  ])('%s', (text, expected) => expect(fill(text, 'zero')).toBe(expected));
});

describe('refused, with the line', () => {
  test.each([
    ['{{', 1],
    ['a\n{{ .Name', 2],
    ['\n\n{{end}}', 3],
    ['{{if .Name}}', 1],
    ['{{if}}x{{end}}', 1],
    ['{{nope "x"}}', 1],
    ['\n{{.Nope}}', 2],
    ['{{.Name "arg"}}', 1],
    ['{{template "none"}}', 1],
    ['{{$undefined}}', 1],
    ['{{"\\q"}}', 1],
    ['{{index .List 9}}', 1],
    ['{{eq 1 "1"}}', 1],
    ['{{.Name}', 1],
    ['{{@}}', 1],
    ['{{ .constructor }}', 1],
    ['{{ .__proto__ }}', 1],
  ])('%j', (text, line) => {
    let caught: unknown;
    try {
      fill(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(GoTemplateError);
    expect((caught as GoTemplateError).line).toBe(line);
  });
});

test('loops and recursion end', () => {
  expect(() => fill('{{define "T"}}{{template "T"}}{{end}}{{template "T"}}')).toThrow('without end');
  const many = '{{range 1000}}'.repeat(4);
  expect(() => fill(`${many}x${'{{end}}'.repeat(4)}`)).toThrow(GoTemplateError);
  expect(() => fill('{{if true}}'.repeat(5000))).toThrow(GoTemplateError);
  expect(() => fill(`{{${'('.repeat(5000)}`)).toThrow(GoTemplateError);
});

test('any text is filled or refused, in bounded time', () => {
  const soup = fc
    .array(
      fc.constantFrom(
        '{{',
        '}}',
        '{{-',
        '-}}',
        ' ',
        'if',
        'end',
        'else',
        'range',
        '.Name',
        '.',
        '$x',
        ':=',
        '=',
        '|',
        '(',
        ')',
        '"',
        '`',
        "'",
        '/*',
        '*/',
        '\n',
        '1',
        'upper',
        ',',
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(soup, (text) => {
      try {
        fill(text);
      } catch (error) {
        expect(error).toBeInstanceOf(GoTemplateError);
      }
    }),
    { numRuns: 3000 },
  );
  const taken = cpuTime();
  for (const text of [
    '{{'.repeat(50_000),
    `{{"${'\\'.repeat(100_000)}`,
    '{{`'.repeat(50_000),
    `{{${' '.repeat(200_000)}`,
    `{{/*${'*'.repeat(200_000)}`,
  ]) {
    expect(() => fill(text)).toThrow(GoTemplateError);
  }
  expect(taken()).toBeLessThan(10_000);
});
