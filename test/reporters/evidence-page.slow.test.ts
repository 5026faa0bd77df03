import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleOf } from '../../src/app/evidence.ts';
import { createMask } from '../../src/app/mask.ts';
import { packagesBeside } from '../../src/app/report.ts';
import type { ImageDiff } from '../../src/scan/diff/compare.ts';
import { diffPage } from '../../src/scan/diff/html.ts';
import { evidencePage } from '../../src/reporters/html/page.ts';
import { HOSTILE, sampleRecord } from '../app/sample-record.ts';
import { type Contrast, contrasts } from './contrasts.ts';

const SCHEMES = ['light', 'dark'] as const;
const PHONE = { width: 360, height: 780 };
const DESK = { width: 1280, height: 900 };
/** WCAG 2.2, 1.4.3: contrast of text. */
const LEAST_CONTRAST = 4.5;

let dir: string;
let browser: Browser;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-chromium-'));
  for (const name of ['released', 'refused'] as const) {
    const bundle = bundleOf(sampleRecord(dir, { vulnerable: name === 'refused' }), createMask());
    const packages = await packagesBeside(bundle, (file) => join(dir, file));
    writeFileSync(join(dir, `${name}.html`), evidencePage([{ bundle, ...packages }]));
  }
  const changes = HOSTILE.map((name, i) => ({ name, before: i > 1 ? name : undefined, after: name }));
  const diff = {
    before: 'web@1.0.0',
    after: HOSTILE[0],
    same: false,
    sections: [{ title: 'files', changes }],
    notes: HOSTILE,
  };
  writeFileSync(join(dir, 'diff.html'), diffPage(diff as unknown as ImageDiff));
  // It stays open over all tests, and is no leak of one of them.
  const { INGOT_TEST_OWNER: _owner, ...env } = process.env;
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    // Tests run as root, which Chromium's own sandbox refuses.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
    env: env as Record<string, string>,
  });
});
afterAll(async () => {
  await browser?.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Look {
  readonly page: Page;
  /** What the browser complained about, and every address that it asked. */
  readonly heard: readonly string[];
}

async function withPage(
  name: 'released' | 'refused' | 'diff',
  o: { scheme?: 'light' | 'dark'; viewport?: typeof PHONE; script?: boolean },
  work: (look: Look) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({
    colorScheme: o.scheme ?? 'light',
    viewport: o.viewport ?? DESK,
    javaScriptEnabled: o.script ?? true,
  });
  const page = await context.newPage();
  const heard: string[] = [];
  const url = pathToFileURL(join(dir, `${name}.html`)).href;
  page.on('console', (message) => heard.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => heard.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => void dialog.dismiss().then(() => heard.push('dialog')));
  page.on('request', (request) => {
    if (request.url() !== url) heard.push(`request: ${request.url()}`);
  });
  try {
    await page.goto(url);
    await work({ page, heard });
    expect(heard).toEqual([]);
  } finally {
    await context.close();
  }
}

/** Where INGOT_SCREENSHOTS says, pictures of what was looked at. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.INGOT_SCREENSHOTS;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

async function openDetails(page: Page): Promise<void> {
  for (const summary of await page.locator('summary').all()) await summary.click();
}

describe.each(['released', 'refused', 'diff'] as const)('page %s', (name) => {
  test.each(SCHEMES)('%s: every text has enough contrast', async (scheme) => {
    await withPage(name, { scheme }, async ({ page }) => {
      await openDetails(page);
      const found: Contrast[] = await page.evaluate(contrasts);
      expect(found.length).toBeGreaterThan(10);
      expect(found.filter(({ ratio }) => ratio < LEAST_CONTRAST)).toEqual([]);
      const [background] = found.map((c) => c.background);
      expect(background).toMatch(scheme === 'dark' ? /^#[0-2]/ : /^#[e-f]/);
      await picture(page, `${name}-${scheme}`);
    });
  });

  test('a phone scrolls down only', async () => {
    await withPage(name, { viewport: PHONE }, async ({ page }) => {
      await openDetails(page);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(PHONE.width);
      const clipped = await page.evaluate(
        `[...document.querySelectorAll('main *:not(.unseen, .unseen *)')]
          .filter((e) => e.getBoundingClientRect().left < 0 || e.getBoundingClientRect().right > innerWidth)
          .map((e) => e.outerHTML.slice(0, 100))`,
      );
      expect(clipped).toEqual([]);
      await picture(page, `${name}-phone`);
    });
  });

  test('names are text: nothing of them is an element or runs', async () => {
    await withPage(name, {}, async ({ page }) => {
      expect(await page.title()).not.toBe('owned');
      expect(await page.locator('img, main script, main style, main b:text("bold")').count()).toBe(0);
      expect(await page.getByText('onerror=document.title').count()).toBeGreaterThan(0);
    });
  });
});

test.each([
  ['released', 'Released', '6 of 6 proofs passed.'],
  ['refused', 'Refused', 'curl 7.88.1-10+deb12u8 is installed; 7.88.1-10+deb12u12 has the fix'],
] as const)('%s: the verdict and why are seen without scrolling, on a phone too', async (name, word, why) => {
  await withPage(name, { viewport: PHONE }, async ({ page }) => {
    for (const text of [word, why]) {
      const box = await page.locator('.verdict', { hasText: text }).boundingBox();
      expect(box && box.y + box.height).toBeLessThan(PHONE.height);
    }
  });
});

test('headings go down one level at a time, every table has a caption, every control a name', async () => {
  await withPage('refused', {}, async ({ page }) => {
    const levels = (await page.evaluate(
      `[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]))`,
    )) as number[];
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    levels.forEach((level, i) => expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1));
    expect(await page.locator('table:not(:has(caption))').count()).toBe(0);
    expect(await page.locator('th:not([scope])').count()).toBe(0);
    expect(await page.getByRole('searchbox', { name: 'Search packages' }).count()).toBe(1);
  });
});

describe('the list of packages', () => {
  test('is narrowed to what has every word', async () => {
    await withPage('released', {}, async ({ page }) => {
      const rows = page.locator('.packages tbody tr:visible');
      const all = await rows.count();
      expect(all).toBe(1 + 300 + HOSTILE.length);
      const search = page.getByRole('searchbox');
      await search.fill('NGINX');
      expect(await rows.allInnerTexts()).toEqual([expect.stringMatching(/^nginx\s/)]);
      expect(await page.locator('output').innerText()).toBe(`1 of ${all}`);
      await search.fill('pypi mit');
      const found = await rows.allInnerTexts();
      expect(found.length).toBeGreaterThan(0);
      for (const text of found) expect(text.toLowerCase()).toMatch(/mit.*pypi/s);
      await search.press('Enter');
      await search.fill('');
      expect(await rows.count()).toBe(all);
    });
  });

  test('is whole where no script runs, without a box that does nothing', async () => {
    await withPage('released', { script: false }, async ({ page }) => {
      expect(await page.locator('.packages tbody tr:visible').count()).toBe(1 + 300 + HOSTILE.length);
      expect(await page.locator('.filter:visible').count()).toBe(0);
    });
  });

  test('is reached with the keyboard, and the focus is seen', async () => {
    await withPage('released', {}, async ({ page }) => {
      const isThere = (): Promise<unknown> => page.evaluate(`document.activeElement.type === 'search'`);
      for (let i = 0; i < 40 && !(await isThere()); i++) await page.keyboard.press('Tab');
      expect(await isThere()).toBe(true);
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    });
  });
});
