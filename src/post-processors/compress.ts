import { basename, isAbsolute, join } from 'node:path';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { IngotError } from '../core/error.ts';
import type { PostProcessor } from '../core/plugin.ts';
import { replaceFileBy } from '../core/replace-file.ts';
import { fillString } from '../template/index.ts';
import { type CompressFormat, endingOf, formatNames, formatOf } from './compress/format.ts';

/** Packer's keys: developer.hashicorp.com/packer/docs/post-processors/compress. */
const compressSpec = bodySpec(
  {
    output: attr.string('File to write: {{ .BuildName }}, {{ .BuilderType }}. Its ending says the format.', {
      default: 'packer_{{.BuildName}}_{{.BuilderType}}',
      goTemplate: true,
    }),
    format: attr.string(`Format, whatever the ending: ${formatNames.join(', ')}.`),
    compression_level: attr.number('From 0, as it is, to 9, small.', { default: 6 }),
  },
  {},
  (o): OptionProblem[] => {
    const problems: OptionProblem[] = [];
    const name = nameOf(o);
    const format = formatOf(name);
    const path = [o.format === undefined ? 'output' : 'format'];
    if (!format) problems.push({ path, message: `expected one of ${formatNames.join(', ')}; got "${name}"` });
    if (!Number.isInteger(o.compression_level) || o.compression_level < 0 || o.compression_level > 9)
      problems.push({ path: ['compression_level'], message: 'expected a whole number from 0 to 9' });
    return problems;
  },
);

type CompressOptions = OptionsOf<typeof compressSpec>;

/** `post-processor "compress"`: one archive, or one compressed file, of what the build made. */
export const compressPostProcessor: PostProcessor<CompressOptions> = {
  type: 'compress',
  version: 1,
  schema: async () => compressSpec,

  async process(artifact, options, ctx) {
    const { write } = await import('./compress/write.ts');
    const format = formatOf(nameOf(options)) as CompressFormat;
    const values = { BuildName: ctx.build?.name ?? '', BuilderType: ctx.build?.type ?? '' };
    const name = fillString(options.output, values, 'output');
    const target = isAbsolute(name) ? name : join(ctx.templateDir, name);
    checkFiles(artifact.files, target, format);
    await replaceFileBy(target, (temporary) =>
      write(temporary, artifact.files, format, options.compression_level, ctx),
    );
    const made = {
      builderId: 'packer.post-processor.compress',
      id: '',
      files: [target],
      description: `compressed artifacts in: ${name}`,
    };
    return { artifact: made, keep: false };
  },
};

/** The format's name: as asked for, else by the ending, else tar.gz. */
function nameOf(options: { readonly format: string | undefined; readonly output: string }): string {
  return options.format ?? endingOf(options.output) ?? 'tar.gz';
}

function checkFiles(files: readonly string[], target: string, format: CompressFormat): void {
  const refuse = (message: string, hint: string): never => {
    throw new IngotError('post-processor/cannot-compress', message, { hint });
  };
  if (files.length === 0) refuse('there is nothing to compress: the build made no files', 'Leave it out.');
  if (format.archive === undefined && files.length > 1)
    refuse(`${files.length} files cannot be compressed into one without an archive`, 'Use tar.gz or zip.');
  if (files.includes(target)) refuse(`${target} is itself to be compressed`, 'Give another `output`.');
  const names = new Set(files.map((file) => basename(file)));
  if (format.archive && names.size < files.length)
    refuse('two of the files have the same name', 'Names in the archive are without folders.');
}
