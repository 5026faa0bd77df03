import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Three projects, by what they need: `fast` runs anywhere in under two minutes, `slow` needs root and the
// system packages, `faults` kills builds at random moments. A file's suffix says where it belongs.
const shared = { setupFiles: ['test/setup/no-leaks.ts'] };

export default defineConfig({
  test: {
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
        },
      },
      {
        test: {
          ...shared,
          name: 'slow',
          // After the others: mounts and load of one test must not be another's leak or timeout.
          sequence: { groupOrder: 1 },
          maxWorkers: 1,
          env: { INGOT_TEST_MOUNTS: '1' },
          include: ['test/**/*.slow.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...shared,
          name: 'faults',
          // After the others: mounts and load of one test must not be another's leak or timeout.
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
          env: { INGOT_TEST_MOUNTS: '1' },
          include: ['test/**/*.fault.test.ts'],
          testTimeout: 3_600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
