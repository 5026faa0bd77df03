import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import type { Context } from '../core/context.ts';
import { inTurn } from '../core/in-turn.ts';
import type { PostProcessor } from '../core/plugin.ts';
import { replaceFile } from '../core/replace-file.ts';
import { fillString } from '../template/index.ts';

const TYPES = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];

/** Packer's keys: developer.hashicorp.com/packer/docs/post-processors/checksum. */
const checksumSpec = bodySpec(
  {
    checksum_types: attr.strings(`Which sums to write: ${TYPES.join(', ')}.`, { default: ['md5'] }),
    output: attr.string('File to write: {{ .BuildName }}, {{ .BuilderType }}, {{ .ChecksumType }}.', {
      default: 'packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum',
      goTemplate: true,
    }),
  },
  {},
  (o): OptionProblem[] =>
    o.checksum_types
      .map(
        (type, i): OptionProblem => ({
          path: ['checksum_types', i],
          message: `expected one of ${TYPES.join(', ')}; got "${type}"`,
        }),
      )
      .filter((_, i) => !TYPES.includes(o.checksum_types[i] as string)),
);

/** `post-processor "checksum"`: sums of all files of the artifact, a line a file: sum, tab, name. */
export const checksumPostProcessor: PostProcessor<OptionsOf<typeof checksumSpec>> = {
  type: 'checksum',
  version: 1,
  schema: async () => checksumSpec,

  async process(artifact, options, ctx) {
    const written: string[] = [];
    for (const type of options.checksum_types) {
      const values = {
        BuildName: ctx.build?.name ?? '',
        BuilderType: ctx.build?.type ?? '',
        ChecksumType: type,
      };
      const output = fillString(options.output, values, 'output');
      const path = isAbsolute(output) ? output : join(ctx.templateDir, output);
      const sums = new Map<string, string>();
      for (const file of artifact.files) sums.set(basename(file), await sumOf(file, type, ctx));
      await inTurn(path, () => addLines(path, sums));
      if (!written.includes(path)) written.push(path);
    }
    const made = {
      builderId: 'packer.post-processor.checksum',
      id: '',
      files: written,
      description: `Created artifact from files: ${written.map((file) => basename(file)).join(', ')}`,
    };
    return { artifact: made, keep: true, mustKeep: true };
  },
};

async function sumOf(file: string, type: string, ctx: Context): Promise<string> {
  const hash = createHash(type);
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20, signal: ctx.signal }))
    hash.update(part as Buffer);
  return hash.digest('hex');
}

/** Several builds may share a file; a build that runs again takes the place of its own lines. */
async function addLines(path: string, sums: ReadonlyMap<string, string>): Promise<void> {
  const before = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const others = before.split('\n').filter((line) => line !== '' && !sums.has(line.replace(/^[^\t]*\t/, '')));
  const lines = [...others, ...[...sums].map(([name, sum]) => `${sum}\t${name}`)];
  await replaceFile(path, lines.map((line) => `${line}\n`).join(''));
}
