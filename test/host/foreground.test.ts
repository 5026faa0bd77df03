import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runInForeground } from '../../src/host/foreground.ts';
import { runUserCommand } from '../../src/host/user-command.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-foreground-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the command has the environment that it is given and no other, and is found by our PATH', async () => {
  const script = 'printf "%s|%s" "$A" "$HOME" > "$1"';
  const file = join(folder, 'out');
  expect(await runInForeground('sh', ['-c', script, 'sh', file], { env: { A: 'x y' } })).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe('x y|');
});

test.each([
  ['exit 7', 7],
  ['kill -TERM $$', 143],
])('%s is told as %i', async (script, code) => {
  expect(await runInForeground('sh', ['-c', script], { env: {} })).toBe(code);
});

test('a text goes to its standard input, all of it or as much as it reads', async () => {
  const file = join(folder, 'out');
  const input = 'line\n'.repeat(100_000);
  expect(await runInForeground('sh', ['-c', 'cat > "$1"', 'sh', file], { env: {}, input })).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(input);
  expect(await runInForeground('true', [], { env: {}, input })).toBe(0);
});

test('a signal that we get goes on to it', async () => {
  const ready = join(folder, 'ready');
  const script = `trap 'kill $!; exit 9' TERM; sleep 60 & : > "$1"; wait`;
  const code = runInForeground('sh', ['-c', script, 'sh', ready], { env: {} });
  await vi.waitUntil(() => existsSync(ready));
  process.emit('SIGTERM', 'SIGTERM');
  expect(await code).toBe(9);
  expect(process.listenerCount('SIGUSR2')).toBe(0);
});

test('a command that is not there', async () => {
  const missing = runInForeground('no-such-command', [], { env: {} });
  await expect(missing).rejects.toMatchObject({ code: 'host/cannot-run' });
});

test("a user's command has the user's environment and more", async () => {
  vi.stubEnv('MINE', 'own');
  try {
    const result = await runUserCommand('sh', ['-c', 'echo $MINE $MORE'], { env: { MORE: 'more' } });
    expect(result).toMatchObject({ exitCode: 0, stdout: 'own more\n' });
  } finally {
    vi.unstubAllEnvs();
  }
});
