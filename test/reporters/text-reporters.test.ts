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
