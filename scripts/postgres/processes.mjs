// Processes that end with us, and waiting for what they do.
import { execFileSync, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const children = [];
process.on('exit', endAll);

/** Ends what was started, at once. */
export function endAll() {
  for (const child of children) child.kill('SIGKILL');
}

/** A process that ends with this one, at the latest. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  children.push(child);
  return child;
}

/** Waits for its end; throws unless that is a good one. */
export function ended(child) {
  return new Promise((done, fail) => {
    child.on('error', fail).on('exit', (code, signal) => {
      if (code === 0) done();
      else fail(new Error(`${child.spawnargs.join(' ')} ended with ${code ?? signal}`));
    });
  });
}

/** What a command writes. */
export function outputOf(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Asks each second until the answer is good. */
export async function until(ask, isGood, what = 'an answer') {
  for (let tries = 0; tries < 60; tries++) {
    const answer = await Promise.resolve(ask()).catch(() => undefined);
    if (answer !== undefined && isGood(answer)) return answer;
    await sleep(1000);
  }
  throw new Error(`${what} did not come within a minute`);
}
