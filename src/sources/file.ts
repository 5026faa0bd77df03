import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { IngotError } from '../core/error.ts';
import type { Source } from '../core/plugin.ts';
import { noMachine } from '../machines/no-machine.ts';

/** Packer's keys: developer.hashicorp.com/packer/docs/builders/file. */
const fileSpec = bodySpec(
  {
    content: attr.string('What the file holds.'),
    source: attr.string('File to copy.'),
    target: attr.string('File to write.', { required: true }),
  },
  {},
  (o): OptionProblem[] =>
    o.content !== undefined && o.source !== undefined
      ? [{ path: ['source'], message: 'expected one of content and source; got both' }]
      : [],
);

type FileOptions = OptionsOf<typeof fileSpec>;

/** `source "file"`: one file, from text or from another file; for trying post-processors without a machine. */
export const fileSource: Source<FileOptions> = {
  type: 'file',
  version: 1,
  produces: 'files',
  schema: async () => fileSpec,
  pin: async (options) => ({ options }),

  async start(options, _base, ctx) {
    const at = (path: string): string => (isAbsolute(path) ? path : join(ctx.templateDir, path));
    const target = at(options.target);
    await mkdir(dirname(target), { recursive: true });
    try {
      if (options.source === undefined) await writeFile(target, options.content ?? '');
      else await copyFile(at(options.source), target);
    } catch (cause) {
      const what = options.source === undefined ? 'write' : `copy ${options.source} to`;
      throw new IngotError('source/not-written', `could not ${what} ${options.target}`, {
        hint: (cause as Error).message,
        cause,
      });
    }
    return noMachine(new Map([['ID', 'File']]), {
      builderId: 'packer.file',
      id: 'File',
      files: [target],
      description: `Stored file: ${options.target}`,
    });
  },
};
