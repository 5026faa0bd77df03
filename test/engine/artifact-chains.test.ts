import { expect, test } from 'vitest';
import type { Artifact } from '../../src/core/artifact.ts';
import { ArtifactChains } from '../../src/engine/artifact-chains.ts';
import type { PlannedStep } from '../../src/plan/types.ts';

test.each([
  [
    [false, false],
    ['built', 'tagged'],
  ],
  [[false, true], ['built']],
  [[true, false], ['tagged']],
  [[true, true], []],
])('what is besides files goes with keep_input_artifact = false: %j', async (keeps, expected) => {
  const gone: string[] = [];
  const image = (id: string): Artifact => ({
    builderId: 'test',
    id,
    files: [],
    description: id,
    discard: async () => void gone.push(id),
  });
  const chains = new ArtifactChains();
  chains.begin(image('built'));
  for (const [i, id] of ['tagged', 'pushed'].entries()) {
    const step = { chain: { index: 0, keepInput: keeps[i] } } as PlannedStep;
    await chains.processed(step, { artifact: image(id), keep: true });
  }
  await chains.settle();
  expect(gone.sort()).toEqual(expected);
});
