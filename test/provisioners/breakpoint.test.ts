import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { breakpointProvisioner } from '../../src/provisioners/breakpoint.ts';
import { type Bench, openBench } from './local-machine.ts';
import { optionsOf } from './options.ts';

const stop = new AbortController();
const terminal = process.stdin.isTTY;
let bench: Bench;
beforeEach(async () => {
  bench = await openBench(stop.signal);
});
afterEach(async () => {
  process.stdin.isTTY = terminal;
  await bench[Symbol.asyncDispose]();
});

const provision = async (hcl: string) =>
  await breakpointProvisioner.provision(
    bench.machine,
    await optionsOf(breakpointProvisioner, hcl),
    bench.ctx,
  );

test.each([
  ['', false, 'no terminal: not stopped'],
  ['disable = true', true, 'disabled'],
])('%j with terminal %s does not wait', async (hcl, tty, summary) => {
  process.stdin.isTTY = tty;
  expect(await provision(hcl)).toEqual({ summary });
});

test('waits for Enter, and says why', async () => {
  process.stdin.isTTY = true;
  const waiting = provision('note = "Look at nginx"');
  const told = ['note: Look at nginx. Stopped here; press Enter to go on.'];
  await vi.waitFor(() => expect(bench.lines).toEqual(told), { timeout: 30_000 });
  process.stdin.emit('data', Buffer.from('\n'));
  expect(await waiting).toEqual({});
});

test('an interrupt ends the waiting, and listens no more', async () => {
  process.stdin.isTTY = true;
  const before = process.stdin.listenerCount('data');
  const waiting = provision('');
  await vi.waitUntil(() => bench.lines.length > 0, { timeout: 30_000 });
  stop.abort(new Error('interrupted'));
  await expect(waiting).rejects.toThrow('interrupted');
  expect(process.stdin.listenerCount('data')).toBe(before);
});
