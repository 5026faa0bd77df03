import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Workspace } from './ingot.ts';

/** In `npm test` a few moments, in `npm run test:faults` all. */
const KILLS = process.env.INGOT_FAULTS === 'long' ? 20 : 2;
const IMAGE = `image "web" {
  version = "1.0.0"
  output "qcow2" { compression = "none" }
  release {}
}
`;

let ws: Workspace;
let expected: string | undefined;
/** How long a build takes; with the downloads, which those that are killed find in the cache. */
let whole: number;
beforeAll(async () => {
  ws = Workspace.withDownloads();
  writeFileSync(ws.path('web.ingot.hcl'), IMAGE);
  ws.commit('release-1.0.0');
  const began = performance.now();
  expected = (await ws.build()).images[0]?.outputs[0]?.digest;
  whole = performance.now() - began;
});
afterAll(() => ws.remove());

test(`killed at ${KILLS} random moments, a build leaves nothing that clean does not take down, and the next succeeds`, async () => {
  const seed = Number(process.env.INGOT_FAULT_SEED ?? Date.now() % 100_000);
  console.log(`INGOT_FAULT_SEED=${seed}`);
  let state = seed;
  const random = (): number => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
  for (let i = 0; i < KILLS; i++) {
    const child = ws.start('build', '--force', '.');
    const ended = new Promise((done) => child.once('close', done));
    const moment = random() * 0.9 * whole;
    await sleep(moment);
    child.kill('SIGKILL');
    await ended;
    const cleaned = await ws.run('clean');
    const when = `after a kill at ${Math.round(moment)} ms (seed ${seed})`;
    expect(cleaned.exitCode, `${when}: ${cleaned.stderr}`).toBe(0);
    expect(ws.residue(), when).toEqual([]);
  }
  expect(expected).toBeDefined();
  const after = await ws.build('--force');
  expect(after.images[0]?.outputs[0]?.digest).toBe(expected);
});
