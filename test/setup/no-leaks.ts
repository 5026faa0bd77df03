import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect } from 'vitest';

/** Mounts and loop devices of Ingot, and processes that this test file's children left behind. */
function leaks(): string[] {
  // Tests without root mount nothing, and run beside builds of others.
  const table = process.env.INGOT_TEST_MOUNTS ? readFileSync('/proc/mounts', 'utf8') : '';
  const mounts = table
    .split('\n')
    .filter((line) => /^ingot[ -]/.test(line))
    .map((line) => `mount ${line.split(' ')[1]}`);
  const processes: string[] = [];
  for (const pid of readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
    try {
      const environ = readFileSync(`/proc/${pid}/environ`, 'utf8');
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
      if (
        environ.includes(`INGOT_TEST_OWNER=${process.pid}\0`) &&
        Number(pid) !== process.pid &&
        state !== 'Z'
      ) {
        processes.push(
          `process ${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`,
        );
      }
    } catch {
      // ended while we looked
    }
  }
  return [...mounts, ...processes];
}

// Children inherit this mark through Host.run and execa; a survivor is a leak.
process.env.INGOT_TEST_OWNER = String(process.pid);

let before = new Set(leaks());

/** What runs by now is shared by the tests that follow. Called at the end of `beforeAll`; who shares takes it down in `afterAll`. */
export function shareWhatRuns(): void {
  before = new Set(leaks());
}

afterEach(() => {
  expect(leaks().filter((leak) => !before.has(leak))).toEqual([]);
});
