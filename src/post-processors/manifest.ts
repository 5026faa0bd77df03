import { readFile, stat } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { attr, bodySpec, type OptionsOf } from '../core/body-spec.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import { inTurn } from '../core/in-turn.ts';
import type { PostProcessor } from '../core/plugin.ts';
import { replaceFile } from '../core/replace-file.ts';

/** Packer's keys: developer.hashicorp.com/packer/docs/post-processors/manifest. */
const manifestSpec = bodySpec({
  output: attr.string('File to write, relative to the template.', { default: 'packer-manifest.json' }),
  strip_path: attr.bool('Only the names of files.', { default: false }),
  strip_time: attr.bool('Leaves out the time of the build.', { default: false }),
  custom_data: attr.stringMap('Kept with the build.', { default: {} }),
});

type ManifestOptions = OptionsOf<typeof manifestSpec>;

interface Manifest {
  builds: Record<string, unknown>[];
  last_run_uuid: string;
}

/** `post-processor "manifest"`: a JSON list of what was built, one entry a build, as Packer writes it. */
export const manifestPostProcessor: PostProcessor<ManifestOptions> = {
  type: 'manifest',
  version: 1,
  schema: async () => manifestSpec,

  async process(artifact, options, ctx) {
    const path = isAbsolute(options.output) ? options.output : join(ctx.templateDir, options.output);
    const name = ctx.build?.name ?? ctx.step.split('/')[0] ?? '';
    const run = ctx.build?.runUuid ?? artifact.id;
    const files = await Promise.all(
      artifact.files.map(async (file) => ({
        name: options.strip_path ? basename(file) : file,
        size: (await stat(file)).size,
      })),
    );
    const build = {
      name,
      builder_type: ctx.build?.type ?? artifact.builderId.replace(/^ingot\./, ''),
      ...(!options.strip_time && { build_time: Math.floor(ctx.clock.now().getTime() / 1000) }),
      files,
      artifact_id: artifact.id,
      packer_run_uuid: run,
      custom_data: options.custom_data,
    };
    // A build of the same version takes the place of its earlier entry: the command may be run twice.
    await inTurn(path, async () => {
      const manifest = await readManifest(path);
      const others = manifest.builds.filter((b) => b.name !== name || b.artifact_id !== artifact.id);
      await writeWhole(path, { builds: [...others, build], last_run_uuid: run }, ctx);
    });
    return { artifact, keep: true, mustKeep: true };
  },
};

async function readManifest(path: string): Promise<Manifest> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return { builds: [], last_run_uuid: '' };
  try {
    const data = JSON.parse(text) as Partial<Manifest>;
    if (Array.isArray(data.builds)) return { builds: data.builds, last_run_uuid: String(data.last_run_uuid) };
  } catch {
    // told below
  }
  throw new IngotError('post-processor/bad-manifest', `${path} is there, and is no manifest`, {
    hint: 'Choose another file in `output`, or remove this one.',
  });
}

async function writeWhole(path: string, manifest: Manifest, ctx: Context): Promise<void> {
  ctx.signal.throwIfAborted();
  await replaceFile(path, `${JSON.stringify(manifest, null, 2)}\n`);
}
