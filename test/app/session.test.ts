import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pathsFrom } from '../../src/app/paths.ts';
import { hmacKey, openSession } from '../../src/app/session.ts';
import type { BuildEvent } from '../../src/core/event.ts';

test('a step gets the value of a reference, and no event shows it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-session-'));
  try {
    const events: BuildEvent[] = [];
    const deps = {
      emit: (event: BuildEvent) => void events.push(event),
      signal: new AbortController().signal,
    };
    const session = openSession(deps, { INGOT_CACHE_DIR: folder, PW: 'hunter2', MAP: '{"n": 5}' });
    const tell = (text: string): void => session.emit({ type: 'message', level: 'info', text });
    tell('before: hunter2');
    expect(await session.secrets.resolve('ref+envsubst://$PW')).toBe('hunter2');
    expect(await session.secrets.resolve('ref+envsubst://$MAP#/n')).toBe('5');
    tell('after: hunter2');
    session.mask.add('sensitive variable');
    tell('a sensitive variable');
    const texts = events.map((event) => ('text' in event ? event.text : ''));
    expect(texts).toEqual(['before: hunter2', 'after: <sensitive>', 'a <sensitive>']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('no event shows how a proxy lets us in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-session-'));
  try {
    const texts: string[] = [];
    const session = openSession(
      {
        emit: (event) => void texts.push('text' in event ? event.text : ''),
        signal: new AbortController().signal,
      },
      { INGOT_CACHE_DIR: folder, HTTPS_PROXY: 'http://me:p%40ss@proxy.test:3128' },
    );
    for (const secret of ['p%40ss', 'p@ss', Buffer.from('me:p@ss').toString('base64')])
      session.emit({ type: 'message', level: 'info', text: `<${secret}>` });
    expect(texts).toEqual(Array(3).fill('<<sensitive>>'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('where no cache may be made, the key of sensitive values holds for this run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingot-session-'));
  try {
    const paths = pathsFrom({ INGOT_CACHE_DIR: join(folder, 'cache'), HOME: folder });
    const kept = hmacKey(paths);
    expect(kept).toHaveLength(32);
    expect(hmacKey(paths)).toEqual(kept);
    // What the kernel gives as folders cannot be added to, by root neither.
    const nowhere = pathsFrom({ INGOT_CACHE_DIR: '/sys/kernel/ingot', HOME: folder });
    expect(hmacKey(nowhere)).toHaveLength(32);
    expect(existsSync('/sys/kernel/ingot')).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
