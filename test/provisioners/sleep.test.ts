import { expect, test } from 'vitest';
import { sleepProvisioner } from '../../src/provisioners/sleep.ts';
import { openBench } from './local-machine.ts';
import { optionsOf } from './options.ts';

test('waits as long as it is told', async () => {
  await using bench = await openBench();
  const began = performance.now();
  await sleepProvisioner.provision(
    bench.machine,
    await optionsOf(sleepProvisioner, 'duration = "60ms"'),
    bench.ctx,
  );
  expect(performance.now() - began).toBeGreaterThanOrEqual(59);
});

test('ends at once when the build is stopped', async () => {
  const stop = new AbortController();
  await using bench = await openBench(stop.signal);
  const options = await optionsOf(sleepProvisioner, 'duration = "1h"');
  const waiting = sleepProvisioner.provision(bench.machine, options, bench.ctx);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});

test('needs a duration with its unit', async () => {
  await expect(optionsOf(sleepProvisioner, '')).rejects.toThrow('duration');
  await expect(optionsOf(sleepProvisioner, 'duration = "soon"')).rejects.toThrow('soon');
});
