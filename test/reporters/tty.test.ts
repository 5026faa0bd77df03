import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { BuildEvent } from '../../src/core/event.ts';
import { styles } from '../../src/reporters/style.ts';
import { displayWidth } from '../../src/reporters/terminal-text.ts';
import { renderFrame } from '../../src/reporters/tty-frame.ts';
import { ttyReporter } from '../../src/reporters/tty.ts';
import { sampleEvents, sampleSources } from './sample-events.ts';
import { Screen } from './screen.ts';

const plain = styles(false);

describe('the live part', () => {
  const running = [
    { title: 'shell harden.sh', startedAt: 1000, lastLine: 'Setting up nginx (1.22.1-9) ...' },
    {
      title: 'output qcow2',
      startedAt: 4000,
      progress: { done: 300 << 20, total: 1200 << 20, unit: 'bytes' as const },
    },
    {
      title: 'mmdebstrap base',
      startedAt: 500,
      progress: { done: 17, unit: 'items' as const, what: 'packages' },
    },
  ];

  test('shows time, last line and progress', () => {
    expect(renderFrame(running, 5000, plain, 80).join('\n')).toBe(
      [
        '  ⠋ shell harden.sh                                              4.0s',
        '    Setting up nginx (1.22.1-9) ...',
        '  ⠋ output qcow2                                                 1.0s',
        '    ━━━━━━──────────────────  25 %  300 MiB of 1.2 GiB',
        '  ⠴ mmdebstrap base                                              4.5s',
        '    17 packages',
      ].join('\n'),
    );
  });

  test.each([20, 40, 79, 120, 200])('is never wider than %i columns', (width) => {
    const wide = [
      ...running,
      { title: 'a title that is much too long '.repeat(8), startedAt: 0, lastLine: '漢字'.repeat(200) },
    ];
    for (const line of renderFrame(wide, 5000, plain, width)) {
      expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(width, 24));
    }
  });
});

/** Shows events on a screen; the clock goes on by a tenth of a second with each. */
async function show(events: readonly BuildEvent[], screen: Screen, color = false): Promise<void> {
  let now = 0;
  const reporter = ttyReporter({ stream: screen, color, sources: sampleSources, now: () => now });
  for (const event of events) {
    now += 100;
    reporter.handle(event);
  }
  await reporter.close();
}

test('leaves on the screen what has ended, and nothing of the live part', async () => {
  const screen = new Screen(80, 24);
  await show(sampleEvents, screen);
  await expect(`${screen.text()}\n`).toMatchFileSnapshot('golden/tty.txt');
});

test('titles name their image when there are several', async () => {
  const screen = new Screen(80, 24);
  const build = (image: string): BuildEvent[] => [
    { type: 'build:start', image, version: '1', steps: [] },
    { type: 'step:end', step: `${image}/shell[0]`, status: 'cached', seconds: 0 },
  ];
  await show([...build('web'), ...build('db')], screen);
  expect(screen.text()).toContain('db: shell[0]');
});

test('a step that was skipped before it began takes no line', async () => {
  const screen = new Screen(80, 24);
  await show([{ type: 'step:end', step: 'web/release', status: 'skipped', seconds: 0 }], screen);
  expect(screen.text()).toBe('');
});

test('colors are shown only where asked for', async () => {
  const screens = [new Screen(80, 24), new Screen(80, 24)] as const;
  await show(sampleEvents, screens[0]);
  await show(sampleEvents, screens[1], true);
  expect(screens[0].written).not.toContain('\u001b[3');
  expect(screens[1].written).toContain('\u001b[32m✓');
  expect(screens[1].text()).toBe(screens[0].text());
});

test('a suspended view stays off the screen until it is resumed', () => {
  const screen = new Screen(80, 24);
  const reporter = ttyReporter({ stream: screen, color: false, now: () => 0 });
  reporter.handle(sampleEvents[3] as BuildEvent);
  expect(screen.text()).toContain('shell harden.sh');
  const resume = reporter.suspend?.();
  reporter.handle({ type: 'message', level: 'info', text: 'meanwhile' });
  // What other builds do is told when the question is answered.
  reporter.handle({ type: 'step:end', step: 'db/seal', status: 'done', seconds: 1 });
  expect(screen.text()).toBe('meanwhile');
  resume?.();
  expect(stripVTControlCharacters(screen.text())).toMatch(/✓ seal[\s\S]*shell harden.sh/);
  return reporter.close();
});
