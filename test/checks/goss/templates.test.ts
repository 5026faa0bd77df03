import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fillTemplate, TemplateError } from '../../../src/checks/goss/template/fill-template.ts';
import { loadVariables } from '../../../src/checks/goss/template/variables.ts';
import { parseGoLayout } from '../../../src/template/time/parse-go-layout.ts';

const file = (name: string): string => fileURLToPath(new URL(`oracle/${name}`, import.meta.url));
const vars = loadVariables(file('expression-vars.yaml'), undefined);
/** Expressions, and what goss 0.4.9 makes of them; null: it refuses them. */
const expressions = JSON.parse(readFileSync(file('expressions.json'), 'utf8')) as [string, string | null][];

describe('fills what goss fills', () => {
  test.each(expressions)('%s', (expression, expected) => {
    const fill = (): string => fillTemplate(expression, { vars, env: {} });
    if (expected === null) expect(fill).toThrow(TemplateError);
    else expect(fill()).toBe(expected);
  });
});

test.each([
  ['2006-01-02', '2020-02-29', '2020-02-29T00:00:00.000Z'],
  ['2006-01-02', '2021-02-29', undefined],
  ['2006-01-02', '2020-1-02', undefined],
  ['January 2 06', 'march 7 69', '1969-03-07T00:00:00.000Z'],
  ['15:04 -0700 2006', '23:30 -0130 2020', '2020-01-02T01:00:00.000Z'],
  ['(2006.*)', '(2020.*)', '2020-01-01T00:00:00.000Z'],
])('by the layout %s, %s is %s', (layout, written, expected) => {
  const moment = parseGoLayout(layout, written);
  expect(moment === undefined ? undefined : new Date(moment).toISOString()).toBe(expected);
});
