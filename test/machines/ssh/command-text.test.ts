import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commandText, parsePasswd } from '../../../src/machines/ssh/command-text.ts';

const root = { uid: 0 };

describe('the text of a command', () => {
  test('any words, variables and folder arrive as they are', () => {
    const word = fc.string({ maxLength: 20 }).map((s) => s.replaceAll('\0', ''));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), word, (words, value) => {
        const text = commandText(['printf', '%s|', ...words, value], {
          login: root,
          env: { VALUE: value },
          cwd: '/',
        });
        expect(execFileSync('sh', ['-c', text], { encoding: 'utf8' })).toBe([...words, value, ''].join('|'));
      }),
      { numRuns: 25 },
    );
  });

  test.each([
    [['sh', '-c', 'exit 7'], 7],
    [['no-such-command'], 127],
    [['sh', '-c', 'kill -9 $$'], 137],
  ])('%j ends with %i', (argv, exitCode) => {
    expect(spawnSync('sh', ['-c', commandText(argv, { login: root, env: {} })]).status).toBe(exitCode);
  });

  test('another user: by setpriv for root, by sudo for others', () => {
    const user = { name: 'web', uid: 1000, gid: 1000, home: '/home/web' };
    const text = (uid: number): string => commandText(['id'], { login: { uid }, env: {}, user });
    expect(text(0)).toMatch(/^'setpriv' '--reuid=1000' .*'HOME=\/home\/web'/);
    expect(text(1001)).toMatch(/^'sudo' '-n' '-H' '-u' 'web' '--'/);
    expect(text(1000)).toMatch(/^'\/bin\/sh'/);
  });
});

test.each([
  ['web:x:1000:1001:,,,:/home/web:/bin/sh\n', { name: 'web', uid: 1000, gid: 1001, home: '/home/web' }],
  ['web:x:1000:1001:::', { name: 'web', uid: 1000, gid: 1001, home: '/' }],
  ['', undefined],
  ['web:x:a:b', undefined],
])('passwd %j', (line, user) => expect(parsePasswd(line)).toEqual(user));
