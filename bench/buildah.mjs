// The steps of a small Dockerfile above one base: buildah's layers against ours, from the same image.
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

const PACKAGES = 'nginx-light';

const INSTALL = `apt-get update -q && apt-get install -qy --no-install-recommends ${PACKAGES}`;
const HARDEN = [
  'chmod 0700 /root',
  'rm -f /etc/motd',
  'echo "* hard core 0" > /etc/security/limits.d/core.conf',
];

export default {
  title: "A Dockerfile's steps from the same base, against buildah",
  async setup(ctx) {
    const at = (name) => join(ctx.tmp, name);
    Object.assign(ctx.state, { at, storage: at('buildah'), ours: at('ours'), theirs: at('theirs') });
    for (const dir of [ctx.state.ours, ctx.state.theirs]) {
      mkdirSync(join(dir, 'site'), { recursive: true });
      writeFileSync(join(dir, 'site/index.html'), '<h1>hello</h1>\n');
      writeFileSync(join(dir, 'harden.sh'), `#!/bin/sh\nset -e\n${HARDEN.join('\n')}\n`, { mode: 0o755 });
    }
    mkdirSync(at('base'));
    writeFileSync(
      at('base/base.pkr.hcl'),
      'source "mmdebstrap" "base" {\n  suite = "bookworm"\n  variant = "minbase"\n}\nbuild {\n  sources = ["source.mmdebstrap.base"]\n}\n',
    );
    writeFileSync(at('base/base.ingot.hcl'), 'image "base" {\n  version = "1"\n  output "oci" {}\n}\n');
    await ingot(ctx, at('base'));
    ctx.state.base = `oci-archive:${archiveIn(at('base/output-base'))}`;
    writeFileSync(
      join(ctx.state.ours, 'web.pkr.hcl'),
      `source "oci" "web" {\n  image = "${ctx.state.base}"\n}\nbuild {\n  sources = ["source.oci.web"]\n  provisioner "shell" {\n    environment_vars = ["DEBIAN_FRONTEND=noninteractive"]\n    inline = ["${INSTALL}"]\n  }\n  provisioner "file" {\n    source = "site"\n    destination = "/srv"\n  }\n  provisioner "shell" {\n    script = "harden.sh"\n  }\n}\n`,
    );
    writeFileSync(
      join(ctx.state.ours, 'web.ingot.hcl'),
      'image "web" {\n  version = "1"\n  output "oci" {}\n}\n',
    );
    writeFileSync(
      join(ctx.state.theirs, 'Dockerfile'),
      `FROM localhost/base\nRUN DEBIAN_FRONTEND=noninteractive ${INSTALL}\nCOPY site /srv/site\nCOPY harden.sh /tmp/\nRUN /tmp/harden.sh\n`,
    );
    const imported = (await buildah(ctx, 'pull', '--quiet', ctx.state.base)).trim();
    await buildah(ctx, 'tag', imported, 'localhost/base');
    // Ours begins from the same: an image whose layers are unpacked.
    await ingot(ctx, ctx.state.ours);
  },
  cases: [
    {
      name: 'buildah bud --layers, first',
      prepare: async (ctx) => void (await buildah(ctx, 'rmi', '--force', 'localhost/web').catch(() => {})),
      run: async (ctx) => void (await bud(ctx)),
    },
    {
      name: 'buildah bud --layers, nothing changed',
      prepare: async (ctx) => void (await bud(ctx)),
      run: async (ctx) => void (await bud(ctx)),
    },
    {
      name: 'ingot build, first',
      prepare(ctx) {
        // A step that nobody has run: all below the base is made anew.
        const path = join(ctx.state.ours, 'web.pkr.hcl');
        const text = readFileSync(path, 'utf8').replace(
          /inline = \["(: \d+; )?/,
          `inline = [": ${Date.now()}; `,
        );
        writeFileSync(path, text);
      },
      run: async (ctx) => void (await ingot(ctx, ctx.state.ours)),
    },
    {
      name: 'ingot build, last provisioner edited',
      async prepare(ctx) {
        await ingot(ctx, ctx.state.ours);
        appendFileSync(join(ctx.state.ours, 'harden.sh'), `# ${Date.now()}\n`);
      },
      run: async (ctx) => void (await ingot(ctx, ctx.state.ours)),
    },
    {
      name: 'ingot build, nothing changed',
      prepare: async (ctx) => void (await ingot(ctx, ctx.state.ours)),
      run: async (ctx) => void (await ingot(ctx, ctx.state.ours)),
    },
    {
      name: 'bytes of the image that differ in a second first build',
      unit: 'of 1 image',
      async run(ctx) {
        const one = await digestOfFresh(ctx);
        return (await digestOfFresh(ctx)) === one ? 0 : 1;
      },
    },
  ],
  limits: [
    {
      of: 'ingot build, first',
      to: 'buildah bud --layers, first',
      times: 1.2,
      why: 'sealed, stamped and written as an archive, too',
    },
    { of: 'ingot build, nothing changed', seconds: 1, why: 'no step runs' },
    {
      of: 'bytes of the image that differ in a second first build',
      seconds: 0,
      why: 'equal from run to run',
    },
  ],
};

/** Digest of the OCI archive of a build with caches of its own. */
async function digestOfFresh(ctx) {
  const cache = join(ctx.tmp, 'fresh');
  rmSync(cache, { recursive: true, force: true });
  await ingot(ctx, ctx.state.ours, cache);
  const archive = archiveIn(join(ctx.state.ours, 'output-web'));
  return createHash('sha256').update(readFileSync(archive)).digest('hex');
}

function archiveIn(dir) {
  return join(
    dir,
    readdirSync(dir).find((name) => name.endsWith('.oci.tar')),
  );
}

function ingot(ctx, dir, cache = join(ctx.tmp, 'cache')) {
  const env = {
    ...process.env,
    INGOT_CACHE_DIR: cache,
    INGOT_DATA_DIR: join(ctx.tmp, 'data'),
    NO_COLOR: '1',
  };
  return ctx.run(process.execPath, [join(ctx.root, 'bin/ingot'), 'build', '--json', dir], { env });
}

function buildah(ctx, ...args) {
  const { storage } = ctx.state;
  const place = ['--root', storage, '--runroot', `${storage}-run`, '--storage-driver', 'overlay'];
  return ctx.run('buildah', [...place, ...args]);
}

function bud(ctx) {
  const options = ['--layers', '--isolation', 'chroot', '--network', 'host', '--pull-never', '--quiet'];
  return buildah(ctx, 'bud', ...options, '--tag', 'localhost/web', ctx.state.theirs);
}
