import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import type { RunOptions } from '../../../src/core/host.ts';
import { ContainerTransfers } from '../../../src/machines/container/transfers.ts';

test('a file that no command came to read is closed again', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-transfers-'));
  writeFileSync(join(dir, 'a'), 'text');
  let given: RunOptions['input'];
  const transfers = new ContainerTransfers({
    dir,
    root: undefined as never,
    ctx: undefined as never,
    user: undefined,
    run: async (_argv, _options, input) => {
      given = input;
      throw new Error('the container could not be started');
    },
  });
  await expect(transfers.upload(join(dir, 'a'), '/a')).rejects.toThrow('could not be started');
  expect(given instanceof Readable && given.destroyed).toBe(true);
  rmSync(dir, { recursive: true });
});
