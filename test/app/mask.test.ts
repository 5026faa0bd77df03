import { expect, test } from 'vitest';
import { createMask, maskError, maskingEmit } from '../../src/app/mask.ts';
import { IngotError } from '../../src/core/error.ts';
import type { BuildEvent } from '../../src/core/event.ts';

test('secrets are masked in every field, longest first, line by line', () => {
  const events: BuildEvent[] = [];
  const emit = maskingEmit(
    (e) => void events.push(e),
    createMask(['hunter2', 'hunter2-long', 'line one\nline two', 'x']),
  );
  emit({ type: 'step:log', step: 's', stream: 'stdout', line: 'pw=hunter2-long x hunter2; line two' });
  emit({
    type: 'diagnostic',
    diagnostic: { code: 'a/b', severity: 'error', message: 'got hunter2', hint: 'not hunter2' },
  });
  expect(events[0]).toMatchObject({ line: 'pw=<sensitive> x <sensitive>; <sensitive>' });
  expect(JSON.stringify(events)).not.toContain('hunter2');
});

test('errors are masked with all that they hold, and stay what they are', () => {
  const mask = createMask(['hunter2']);
  const cause = new Error('it was hunter2');
  const error = new IngotError('a/b', 'got hunter2', {
    hint: 'not hunter2',
    output: ['pw=hunter2'],
    step: 'web/shell[0]',
    exitCode: 130,
    cause,
  });
  const masked = maskError(
    new AggregateError([error, new TypeError('hunter2')], 'hunter2'),
    mask,
  ) as AggregateError;
  const [first, second] = masked.errors as [IngotError, TypeError];
  expect(first).toBeInstanceOf(IngotError);
  expect(first).toMatchObject({
    code: 'a/b',
    message: 'got <sensitive>',
    hint: 'not <sensitive>',
    output: ['pw=<sensitive>'],
    step: 'web/shell[0]',
    exitCode: 130,
  });
  const all = [masked, first, second, first.cause as Error];
  expect(all.map((e) => `${e.message}${e.stack}`).join()).not.toContain('hunter2');
  expect(second).toBeInstanceOf(TypeError);
  expect(maskError('thrown', mask)).toBe('thrown');
});
