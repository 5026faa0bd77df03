import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { privateMounts } from './test/setup/private-mounts.ts';
import { TwoLanes } from './test/setup/two-lanes.ts';

// Three projects, by what they need: `fast` runs anywhere in under two minutes, `slow` needs root and the
// system packages, `faults` kills builds at random moments. A file's suffix says where it belongs.
const shared = { setupFiles: ['test/setup/no-leaks.ts'] };

const root = {
  ...shared,
  // After the others, whose limits of time are for a machine that does little else. Two at once: a package manager
  // keeps one processor busy, as do many of them.
  sequence: { groupOrder: 1 },
  maxWorkers: 2,
  pool: privateMounts,
  env: { INGOT_TEST_MOUNTS: '1' },
  hookTimeout: 600_000,
};

export default defineConfig({
  test: {
    sequence: { sequencer: TwoLanes },
    projects: [
      {
        test: {
          ...shared,
          name: 'fast',
          sequence: { groupOrder: 0 },
          // By default one is left free for a watching editor.
          maxWorkers: Math.max(2, availableParallelism()),
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.slow.test.ts', 'test/**/*.fault.test.ts'],
          // For a busy machine: alone, none takes five seconds.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { test: { ...root, name: 'slow', include: ['test/**/*.slow.test.ts'], testTimeout: 600_000 } },
      { test: { ...root, name: 'faults', include: ['test/**/*.fault.test.ts'], testTimeout: 3_600_000 } },
    ],
  },
});
