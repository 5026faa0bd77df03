// Every format alone, and all of them from one reading of the disk.
import { exampleProject } from './project.mjs';

const FORMATS = ['raw', 'qcow2', 'vhd', 'vhdx', 'vmdk', 'ova', 'gce', 'oci', 'rootfs'];

const writing = (name, formats) => ({
  name,
  prepare(ctx) {
    ctx.state.project.outputs(...formats.map((f) => `output "${f}" {}`));
    ctx.state.project.forgetOutputs();
  },
  run: async (ctx) => void (await ctx.state.project.build()),
});

export default {
  title: 'Writing the outputs of examples/web from its finished disk',
  async setup(ctx) {
    ctx.state.project = exampleProject(ctx);
    ctx.state.project.outputs('output "raw" {}');
    await ctx.state.project.build();
  },
  cases: [...FORMATS.map((f) => writing(f, [f])), writing('all together', FORMATS)],
};
