import { describe, expect, test } from 'vitest';
import { createReporter, type ReporterKind } from '../../src/reporters/reporter.ts';
import { sampleEvents, sampleSources } from './sample-events.ts';

/** What a reporter writes about the sample build, at a clock that goes on one second with each look. */
async function report(kind: ReporterKind, timestamps = false): Promise<string> {
  let text = '';
  let seconds = 1_760_000_000;
  const reporter = await createReporter(kind, {
    stream: { write: (part) => void (text += part) },
    color: false,
    width: 80,
    sources: sampleSources,
    timestamps,
    now: () => seconds++ * 1000,
  });
  for (const event of sampleEvents) reporter.handle(event);
  await reporter.close();
  return text;
}

describe.each(['plain', 'jsonl', 'machine-readable', 'junit'] as const)('%s', (kind) => {
  test('writes what it wrote before', async () => {
    await expect(await report(kind)).toMatchFileSnapshot(`golden/${kind}.txt`);
  });
});

test('JUnit has what came from the cache, the seal, what was not reached, and what ended with an error', async () => {
  let text = '';
  const reporter = await createReporter('junit', {
    stream: { write: (t) => void (text += t) },
    color: false,
  });
  const steps = ['seal', 'test', 'test', 'test', 'provisioner', 'provisioner'];
  const step = (i: number): string => `web/s${i}`;
  const end = (i: number, status: 'done' | 'cached' | 'failed' | 'skipped', detail?: string): void =>
    reporter.handle({
      type: 'step:end',
      step: step(i),
      status,
      seconds: 1,
      ...(detail !== undefined && { detail }),
    });
  reporter.handle({
    type: 'build:start',
    image: 'web',
    version: '1',
    steps: steps.map((kind, i) => ({
      step: step(i),
      kind,
    })),
  });
  end(0, 'cached', 'nothing removed');
  reporter.handle({ type: 'check:result', step: step(1), name: 'bios', status: 'passed', cached: true });
  end(1, 'cached');
  end(2, 'skipped');
  end(3, 'failed', 'no <kvm>');
  end(4, 'done');
  end(5, 'failed', 'exit code 1');
  // Tried again, on the user's word.
  reporter.handle({
    type: 'step:start',
    step: step(3),
    kind: 'test',
    title: 's3',
    id: `sha256:${'0'.repeat(64)}`,
  });
  reporter.handle({ type: 'check:result', step: step(3), name: 'uefi', status: 'passed' });
  end(3, 'done');
  await reporter.close();
  expect(text.split('\n').slice(2, -3).join('\n')).toBe(
    `  <testsuite name="web" tests="5" failures="0" errors="1" skipped="1" time="2.000">
    <testcase classname="web/s0" name="s0" time="1.000"/>
    <testcase classname="web/s1" name="bios"/>
    <testcase classname="web/s2" name="s2">
      <skipped message="skipped: it came to no result"/>
    </testcase>
    <testcase classname="web/s5" name="s5" time="1.000">
      <error message="exit code 1"/>
    </testcase>
    <testcase classname="web/s3" name="uefi"/>`,
  );
});

test.each(['plain', 'machine-readable'] as const)(
  '%s tells nothing of checks that did not run',
  async (kind) => {
    let text = '';
    const reporter = await createReporter(kind, { stream: { write: (t) => void (text += t) }, color: false });
    reporter.handle({ type: 'check:result', step: 'web/boot', name: 'bios', status: 'passed', cached: true });
    await reporter.close();
    expect(text).toBe('');
  },
);

test('plain puts the time before each line', async () => {
  const lines = (await report('plain', true)).split('\n');
  expect(lines[0]).toBe('2025-10-09T08:53:20.000Z ==> web: version 1.2.0, 4 steps');
});

test('jsonl is one JSON value a line, without error objects', async () => {
  const events = (await report('jsonl'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  expect(events.map((event) => event.type)).toEqual(sampleEvents.map((event) => event.type));
  expect(JSON.stringify(events)).not.toContain('cause');
});

test('machine-readable escapes commas and line ends, so that lines and columns hold', async () => {
  const lines = (await report('machine-readable')).trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^\d+,[^,]*,[a-z-]+(,|$)/);
  expect(lines.some((line) => line.includes('checking%!(PACKER_COMMA) twice'))).toBe(true);
});

test.each(['plain', 'machine-readable', 'junit'] as const)(
  '%s lets no escape sequence through',
  async (kind) => {
    expect(await report(kind)).not.toMatch(/(?!\n)\p{Cc}/u);
  },
);
