import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { html, htmlPage } from '../../src/core/html.ts';

test('whatever is put in stays text: no tag, no end of an attribute, no character that HTML forbids', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const { markup } = html`${text}`;
      expect(markup).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
      expect(markup).not.toMatch(/[^\P{Cc}\t\n\r]|[\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u);
    }),
  );
});

test.each([
  ['<script>', '&lt;script&gt;'],
  ["\"onload='x'", '&quot;onload=&#39;x&#39;'],
  ['a\u202eb\u0000c\ud800', 'a\ufffdb\ufffdc\ufffd'],
  ['&lt;', '&amp;lt;'],
  ['tab\tand\nline', 'tab\tand\nline'],
])('%j is %j', (text, markup) => expect(html`${text}`.markup).toBe(markup));

test('markup nests, lists are joined, and what is not there is nothing', () => {
  const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`);
  expect(html`<ul class="${'"'}">${items}${undefined}${false}${0}</ul>`.markup).toBe(
    '<ul class="&quot;"><li>a</li><li>&lt;b&gt;</li>0</ul>',
  );
});

test('a page allows its own style and script by their digests, and nothing else', () => {
  const page = htmlPage({ title: 'a & b', body: html`<p>x</p>`, style: 'p{color:red}', script: 'let a;' });
  const policy = /content="(default-src[^"]*)"/.exec(page)?.[1] ?? '';
  const digest = (tag: string): string => {
    const [, text = ''] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page) ?? [];
    return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  };
  expect(policy.split('; ')).toEqual([
    "default-src 'none'",
    `style-src ${digest('style')}`,
    `script-src ${digest('script')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ]);
  expect(page).toContain('<title>a &amp; b</title>');
});
