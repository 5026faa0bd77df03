// The primary of examples/postgres in QEMU, from power-on until it says that it is ready, by the stages that it tells.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sshKey } from '../scripts/postgres/connection.mjs';
import { freePort } from '../scripts/free-port.mjs';
import { endAll } from '../scripts/postgres/processes.mjs';
import { startOpenBao } from '../scripts/postgres/secrets.mjs';
import { build, launch, SERVERS, untilReady } from '../scripts/postgres/servers.mjs';
import { bundle } from './bundle.mjs';

const [PRIMARY] = SERVERS;
const SERVICE = 'files of postgresql@15-main.service';
const OURS = ['first boot', SERVICE, 'readiness'];
const OTHERS = ['firmware', 'kernel', 'initrd', 'system', 'cloud-init', 'command cluster', 'services'];
const TOTAL = 'from power-on to ready';
const SUM = "Ingot's part: first boot, files, readiness";
const quiet = () => {};

export default {
  title: 'From power-on to ready: the primary of examples/postgres, emulated',
  rounds: 1,
  async setup(ctx) {
    const { state, tmp } = ctx;
    const program = join(tmp, 'stages.mjs');
    await bundle(ctx, "export { readStages } from './src/core/boot-stages.ts';", program);
    state.readStages = (await import(program)).readStages;
    state.work = mkdtempSync(join(tmpdir(), 'ingot-first-boot-'));
    state.image = await build(quiet);
    state.vault = await startOpenBao([PRIMARY.hostname], quiet);
    state.boots = [];
    state.asked = {};
  },
  async teardown({ state }) {
    endAll();
    if (state.work) rmSync(state.work, { recursive: true, force: true });
  },
  cases: [
    ...[...OTHERS, ...OURS].map((name) => ({
      name,
      run: async (ctx) => (await boot(ctx, name)).find((stage) => stage.name === name)?.seconds ?? 0,
    })),
    { name: SUM, run: async (ctx) => sum(await boot(ctx, SUM), OURS) },
    { name: TOTAL, run: async (ctx) => sum(await boot(ctx, TOTAL), [...OTHERS, ...OURS]) },
  ],
  limits: [{ of: SUM, seconds: 3, why: 'one agent, asked three times' }],
};

/** The stages of this round's boot; whichever case comes first boots. */
async function boot(ctx, asking) {
  const { asked, boots } = ctx.state;
  const round = asked[asking] ?? 0;
  asked[asking] = round + 1;
  boots[round] ??= stagesOf(ctx, join(ctx.state.work, String(round)));
  return await boots[round];
}

async function stagesOf({ state }, work) {
  const { image, vault, readStages } = state;
  const ports = [await freePort(), await freePort()];
  const { publicKey } = sshKey();
  const server = await launch(PRIMARY, { work, image, vault, ports, publicKey, say: quiet });
  const { seconds, own, stages } = await untilReady(server, quiet);
  server.child.kill('SIGKILL');
  return [{ name: 'firmware', seconds: seconds - own }, ...readStages(stages)];
}

function sum(stages, names) {
  return stages.filter(({ name }) => names.includes(name)).reduce((total, { seconds }) => total + seconds, 0);
}
