import { expect, test } from 'vitest';
import { consoleReader } from '../../src/app/boot-outcome.ts';

function reading() {
  const told: unknown[] = [];
  const read = consoleReader({ step: 'boot', emit: (event) => void told.push(event) });
  return { read, told };
}

test('what came before the kernel is of the firmware', () => {
  const { read, told } = reading();
  expect(read('[  OK  ] Reached target basic.target', 3)).toBeUndefined();
  expect(read('ingot: waiting: app.service is activating', 20)).toBeUndefined();
  expect(read('ingot: stages: kernel 1.5 s, first boot 2.0 s', 43.5)).toBeUndefined();
  expect(read('ingot: ready in 41.2 s', 43.7)).toEqual({
    ready: true,
    seconds: 43.7,
    stages: [
      { name: 'firmware', seconds: expect.closeTo(2.5) },
      { name: 'kernel', seconds: 1.5 },
      { name: 'first boot', seconds: 2 },
    ],
  });
  expect(told).toHaveLength(2);
});

test('an image that tells no stages, or that it is not ready, has none', () => {
  expect(reading().read('ingot: ready in 41.2 s', 43)).toEqual({ ready: true, seconds: 43, stages: [] });
  expect(reading().read('ingot: not ready: app.service is failed', 600)).toMatchObject({ ready: false });
});
