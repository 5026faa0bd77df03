import { expect, test } from 'vitest';
import { bootPage } from '../../src/reporters/html/boot-page.ts';
import { bootStages } from '../../src/reporters/html/boot-stages.ts';

const stages = [
  { name: 'firmware', seconds: 2 },
  { name: 'cloud-init', seconds: 6 },
  { name: 'command <join>', seconds: 12 },
];
/** Left edge and width of each bar. */
const bars = (markup: string): (number | undefined)[][] =>
  [...markup.matchAll(/class="stage [a-z-]+" x="([\d.]+)" width="([\d.]+)"/g)].map(([, x, width]) => [
    Number(x),
    Number(width),
  ]);

test('bars stand one after the other, all boots to one scale', () => {
  const markup =
    bootStages([
      { name: 'a', stages },
      { name: 'b', stages: [{ name: 'firmware', seconds: 10 }] },
    ])?.markup ?? '';
  expect(bars(markup)).toEqual([
    [0, 98],
    [100, 298],
    [400, 598],
    [0, 498],
  ]);
  expect(markup).toContain('20.0s');
  expect(bootStages([])).toBeUndefined();
  expect(bootStages([{ name: 'a', stages: [] }])).toBeUndefined();
});

test('a page says in words what it draws', () => {
  const words = (page: string): string =>
    page
      .slice(page.indexOf('<body>'))
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ');
  const page = words(bootPage('db@1.0.0', [{ name: 'db1', ready: true, seconds: 20, stages }]));
  expect(page).toContain('db@1.0.0 From power-on to ready db1: ready in 20.0s 20.0s');
  expect(page).toContain('firmware 2.0s cloud-init 6.0s command &lt;join&gt; 12.0s');
  const late = words(bootPage('db', [{ name: 'db1', ready: false, seconds: 5, stages: [] }]));
  expect(late).toContain('db1: not ready after 5.0s. It told no stages.');
});
