// One template with a qemu source: Debian's packer beside both engines of Ingot, from the same disk image.
import { appendFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const PACKER = 'packer build';
const first = (engine) => `ingot build --engine ${engine}, first`;
const edited = (engine) => `ingot build --engine ${engine}, last provisioner edited`;
const unchanged = (engine) => `ingot build --engine ${engine}, nothing changed`;
const ENGINES = ['vm', 'container'];

export default {
  title: 'A qemu template: apt install, file, hardening script',
  rounds: 1,
  async setup(ctx) {
    const { dir, env } = project(ctx);
    ctx.state.build = (engine) =>
      // A template without an image file is Packer's: its paths start where the build is called.
      ctx.run(process.execPath, [`${ctx.root}bin/ingot`, 'build', '--json', '--engine', engine, '.'], {
        env,
        cwd: dir,
      });
    ctx.state.edit = () => appendFileSync(join(dir, 'harden.sh'), `# ${Math.random()}\n`);
    ctx.state.packer = () => ctx.run('packer', ['build', 'web.pkr.hcl'], { env, cwd: dir });
    ctx.state.forget = () => {
      rmSync(join(ctx.tmp, 'cache'), { recursive: true, force: true });
      rmSync(join(dir, 'out'), { recursive: true, force: true });
    };
    await baseImage(ctx, join(dir, 'base.qcow2'));
  },
  cases: [
    {
      name: PACKER,
      prepare: (ctx) => ctx.state.forget(),
      run: async (ctx) => void (await ctx.state.packer()),
    },
    ...ENGINES.flatMap((engine) => [
      {
        name: first(engine),
        prepare: (ctx) => ctx.state.forget(),
        run: async (ctx) => void (await ctx.state.build(engine)),
      },
      {
        name: edited(engine),
        async prepare(ctx) {
          await ctx.state.build(engine);
          ctx.state.edit();
        },
        run: async (ctx) => void (await ctx.state.build(engine)),
      },
      {
        name: unchanged(engine),
        prepare: async (ctx) => void (await ctx.state.build(engine)),
        run: async (ctx) => void (await ctx.state.build(engine)),
      },
    ]),
  ],
  limits: [
    limit(first('vm'), 1, 'no slower than Packer, though every provisioner leaves a layer'),
    limit(first('container'), 1 / 4, 'nothing is emulated'),
    limit(edited('vm'), 1 / 10, 'goes on from the memory kept before it, without a boot'),
    limit(edited('container'), 1 / 20, 'only the edited step and what follows runs'),
    limit(unchanged('vm'), 1 / 50, 'no step runs'),
    limit(unchanged('container'), 1 / 50, 'no step runs'),
  ],
};

function limit(of, times, why) {
  return { of, to: PACKER, times, why };
}

/** The template, its scripts and its cloud-init seed in a folder of their own. */
function project(ctx) {
  const dir = join(ctx.tmp, 'qemu');
  cpSync(join(ctx.root, 'bench/qemu'), dir, { recursive: true });
  const env = {
    ...process.env,
    INGOT_CACHE_DIR: join(ctx.tmp, 'cache'),
    INGOT_DATA_DIR: join(ctx.tmp, 'data'),
    PACKER_CACHE_DIR: join(ctx.tmp, 'packer-cache'),
    CHECKPOINT_DISABLE: '1',
    NO_COLOR: '1',
  };
  return { dir, env };
}

/** A Debian with cloud-init, and the seed for it: that of INGOT_TEST_VM_BASE, or one made here. */
async function baseImage(ctx, target) {
  cpSync(process.env.INGOT_TEST_VM_BASE ?? (await builtBase(ctx)), target);
  rmSync(join(ctx.tmp, 'base-cache'), { recursive: true, force: true });
  const seed = join(ctx.tmp, 'qemu/seed');
  const args = [
    '-as',
    'mkisofs',
    '-quiet',
    '-volid',
    'cidata',
    '-joliet',
    '-rock',
    '-output',
    `${seed}.iso`,
    seed,
  ];
  await ctx.run('xorriso', args);
}

async function builtBase(ctx) {
  const dir = join(ctx.tmp, 'base');
  mkdirSync(dir);
  cpSync(join(ctx.root, 'test/fixtures/vm'), dir, { recursive: true });
  const env = {
    ...process.env,
    INGOT_CACHE_DIR: join(ctx.tmp, 'base-cache'),
    INGOT_DATA_DIR: join(ctx.tmp, 'data'),
  };
  await ctx.run(process.execPath, [`${ctx.root}bin/ingot`, 'build', '--json', dir], { env });
  return join(dir, 'output-base/base-1.0.0.qcow2');
}
