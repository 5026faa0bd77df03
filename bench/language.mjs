// Reading and evaluating templates of a thousand and of ten thousand lines, each in a process of its own, and
// `ingot validate` of a small one next to `packer validate`.
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.mjs';

const SIZES = [1000, 10_000];

export default {
  title: 'The template language',
  rounds: 7,
  async setup(ctx) {
    const { root, tmp } = ctx;
    for (const size of SIZES) {
      const dir = join(tmp, String(size));
      mkdirSync(dir);
      writeFileSync(join(dir, 'main.pkr.hcl'), templateOf(size));
    }
    ctx.state.reader = join(tmp, 'read.mjs');
    await bundle(ctx, READER, ctx.state.reader);
    ctx.state.peer = join(tmp, 'peer');
    copyPeer(root, ctx.state.peer);
    ctx.state.ingot = await install(ctx);
  },
  cases: [
    ...SIZES.flatMap((size) => [
      { name: `${size} lines, read and evaluated`, run: (ctx) => read(ctx, size, 'seconds') },
      { name: `${size} lines, memory`, unit: 'MB', run: (ctx) => read(ctx, size, 'megabytes') },
    ]),
    {
      name: 'ingot validate',
      run: async ({ run, state }) =>
        void (await run(process.execPath, [state.ingot, 'validate', 'web.pkr.hcl'], {
          cwd: state.peer,
        })),
    },
    {
      name: 'packer validate',
      run: async ({ run, state }) =>
        void (await run('packer', ['validate', 'web.pkr.hcl'], { cwd: state.peer })),
    },
  ],
  limits: [
    {
      of: '10000 lines, read and evaluated',
      to: '1000 lines, read and evaluated',
      times: 12,
      why: 'time grows with the length',
    },
    { of: '10000 lines, memory', to: '1000 lines, memory', times: 12, why: 'so does memory' },
    { of: 'ingot validate', to: 'packer validate', times: 1, why: 'no slower than Packer' },
  ],
};

/** What the measured process runs: reads a folder, answers seconds and how much the heap and its buffers grew. */
const READER = `
import { loadTemplate } from './src/template/index.ts';
const before = process.memoryUsage().rss;
const began = performance.now();
const { diagnostics } = await loadTemplate({ path: process.argv[2] });
const seconds = (performance.now() - began) / 1000;
if (diagnostics.length > 0) throw new Error(diagnostics[0].message);
const megabytes = (process.resourceUsage().maxRSS * 1024 - before) / 1e6;
process.stdout.write(JSON.stringify({ seconds, megabytes }));
`;

async function read({ run, tmp, state }, size, what) {
  return JSON.parse(await run(process.execPath, [state.reader, join(tmp, String(size))]))[what];
}

/** A copy as npm installs it, without sources: a checkout first looks whether dist/ is older than these. */
async function install({ root, tmp, run }) {
  await run(process.execPath, [`${root}bin/ingot`, 'version']);
  const to = join(tmp, 'installed');
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(root, name), join(to, name), { recursive: true });
  return join(to, 'bin/ingot');
}

/** The template that Packer itself is measured with, beside the files that it names; a like one where it is not there. */
function copyPeer(root, to) {
  const from = join(root, '../shared/peers/packer-qemu');
  mkdirSync(join(to, 'site'), { recursive: true });
  if (existsSync(from)) {
    for (const name of ['web.pkr.hcl', 'harden.sh']) cpSync(join(from, name), join(to, name));
    return;
  }
  writeFileSync(join(to, 'harden.sh'), '#!/bin/sh\n');
  writeFileSync(
    join(to, 'web.pkr.hcl'),
    `source "qemu" "web" {
  iso_url      = "base.qcow2"
  iso_checksum = "none"
  disk_image   = true
  ssh_username = "packer"
  ssh_password = "packer"
}
build {
  sources = ["source.qemu.web"]
  provisioner "shell" {
    script = "harden.sh"
  }
}
`,
  );
}

/** A template of so many lines, with all that templates are made of; each part refers to the one before it. */
function templateOf(lines) {
  const parts = [];
  for (let i = 0; parts.length * 20 < lines; i++) {
    const before = i === 0 ? '"first"' : `local.name_${i - 1}`;
    parts.push(`variable "size_${i}" {
  type    = number
  default = ${i}
  validation {
    condition     = var.size_${i} >= 0
    error_message = "The size must not be negative."
  }
}
locals {
  # each name is made of the one before it
  name_${i} = format("%s-%d", substr(${before}, 0, 8), var.size_${i})
  list_${i} = [for n in range(3) : upper("\${local.name_${i}}-\${n}") if n != 1]
  map_${i}  = { name = local.name_${i}, size = var.size_${i} * 2, tags = merge({ a = 1 }, { b = "x" }) }
}
source "null" "s${i}" {
  communicator = local.map_${i}.size > 2 ? "none" : "none"
}
build {
  sources = ["null.s${i}"]
}
`);
  }
  return parts.join('');
}
