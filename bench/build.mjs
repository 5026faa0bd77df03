// A whole image against the stock tools, both with every package at hand.
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleProject } from './project.mjs';

const PACKAGES =
  'cloud-init,dbus,ifupdown,init,iproute2,netbase,nginx,openssh-server,sudo,linux-image-cloud-amd64,initramfs-tools,systemd-sysv';

export default {
  title: 'Building examples/web',
  async setup(ctx) {
    ctx.state.project = exampleProject(ctx);
    ctx.state.project.outputs('output "qcow2" { compression = "none" }');
    await ctx.state.project.build();
    ctx.state.debs = join(ctx.tmp, 'debs');
    mkdirSync(ctx.state.debs);
    await mmdebstrap(ctx, [
      `--customize-hook=sync-out /var/cache/apt/archives ${ctx.state.debs}`,
      '--skip=cleanup/apt',
    ]);
  },
  cases: [
    {
      name: 'stock: mmdebstrap, mke2fs -d, qemu-img convert',
      prepare: (ctx) => rmSync(join(ctx.tmp, 'stock'), { recursive: true, force: true }),
      async run(ctx) {
        await mmdebstrap(ctx, [
          '--setup-hook=mkdir -p "$1"/var/cache/apt/archives',
          `--setup-hook=sync-in ${ctx.state.debs} /var/cache/apt/archives`,
        ]);
        const raw = join(ctx.tmp, 'stock.raw');
        rmSync(raw, { force: true });
        writeFileSync(raw, '');
        truncateSync(raw, 2 ** 31);
        await ctx.run('mke2fs', ['-q', '-t', 'ext4', '-d', join(ctx.tmp, 'stock'), raw]);
        await ctx.run('qemu-img', ['convert', '-O', 'qcow2', raw, join(ctx.tmp, 'stock.qcow2')]);
      },
    },
    {
      name: 'ingot build, cold (package cache warm)',
      prepare: (ctx) => ctx.state.project.forgetLayers(),
      run: async (ctx) => void (await ctx.state.project.build()),
    },
    {
      name: 'ingot build, last provisioner edited',
      async prepare(ctx) {
        await ctx.state.project.build();
        ctx.state.project.edit();
      },
      run: async (ctx) => void (await ctx.state.project.build()),
    },
    {
      name: 'ingot build, nothing changed',
      prepare: async (ctx) => void (await ctx.state.project.build()),
      run: async (ctx) => void (await ctx.state.project.build()),
    },
  ],
  limits: [
    {
      of: 'ingot build, cold (package cache warm)',
      to: 'stock: mmdebstrap, mke2fs -d, qemu-img convert',
      times: 1,
      why: 'no slower than the stock pipeline, though sealed, stamped and bootable',
    },
    {
      of: 'ingot build, last provisioner edited',
      to: 'ingot build, cold (package cache warm)',
      times: 0.2,
      why: 'only the edited step and what follows runs',
    },
    { of: 'ingot build, nothing changed', seconds: 1, why: 'no step runs' },
  ],
};

async function mmdebstrap(ctx, hooks) {
  const target = join(ctx.tmp, 'stock');
  rmSync(target, { recursive: true, force: true });
  await ctx.run('mmdebstrap', [
    '--quiet',
    '--variant=minbase',
    `--include=${PACKAGES}`,
    ...hooks,
    'bookworm',
    target,
  ]);
}
