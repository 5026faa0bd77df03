import { expect, test } from 'vitest';
import { createMask, maskingEmit } from '../../src/app/mask.ts';
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
