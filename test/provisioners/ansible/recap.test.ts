import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readEvent, Recap } from '../../../src/provisioners/ansible/recap.ts';

const result = (status: string, changed = false, task = 't'): object => ({
  event: 'result',
  status,
  changed,
  host: 'h',
  task,
  path: '/p.yml:1',
  message: status === 'failed' ? 'why' : null,
});

function recapOf(...events: object[]): Recap {
  const recap = new Recap();
  for (const event of events) {
    const read = readEvent(JSON.stringify(event));
    if (!read) throw new Error(`not read: ${JSON.stringify(event)}`);
    recap.take(read);
  }
  return recap;
}

test('counts as Ansible does, play by play', () => {
  const recap = recapOf(
    { event: 'play', name: 'one' },
    { event: 'task', name: 't' },
    result('ok'),
    result('ok', true),
    result('ignored', true),
    result('rescued', true),
    { event: 'play', name: 'two' },
    result('skipped'),
    result('failed', true),
    result('unreachable'),
  );
  const none = { ok: 0, changed: 0, skipped: 0, failed: 0, rescued: 0, ignored: 0, unreachable: 0 };
  expect(recap.plays).toEqual([
    { ...none, play: 'one', ok: 3, changed: 2, rescued: 1, ignored: 1 },
    { ...none, play: 'two', skipped: 1, failed: 1, unreachable: 1 },
  ]);
  expect(recap.summary).toBe('ok 3, changed 2, failed 1, unreachable 1, skipped 1, rescued 1, ignored 1');
  expect(recap.changed.map((end) => end.play)).toEqual(['one', 'one']);
  expect(recap.failures).toEqual([
    { play: 'two', task: 't', host: 'h', path: '/p.yml:1', message: 'why' },
    { play: 'two', task: 't', host: 'h', path: '/p.yml:1', message: '' },
  ]);
  expect(recap.tasks).toBe(1);
});

test('what was rare is left out of the summary', () => {
  expect(recapOf({ event: 'play', name: 'p' }, result('ok')).summary).toBe('ok 1, changed 0, failed 0');
});

test('any line is an event or none', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      const event = readEvent(line);
      if (event) new Recap().take(event);
    }),
  );
  expect(readEvent('{"event": "result", "status": "splendid"}')).toBeUndefined();
  expect(readEvent('{"event": "stats", "loaded": ["/a", 1]}')).toEqual({ event: 'stats', loaded: ['/a'] });
});
