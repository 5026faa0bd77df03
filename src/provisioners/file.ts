import { stat } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { type Context, note } from '../core/context.ts';
import { unlessExactlyOne } from '../core/exactly-one.ts';
import type { Machine } from '../core/machine.ts';
import type { Provisioner } from '../core/plugin.ts';

/** Packer's keys: developer.hashicorp.com/packer/docs/provisioners/file. */
const fileSpec = bodySpec(
  {
    source: attr.string('File or folder on this machine; with a trailing slash the content of the folder.'),
    sources: attr.strings('Several of them.'),
    content: attr.string('The text of the file, in place of a source.'),
    destination: attr.string('Path in the machine; with a trailing slash a folder to put the file into.', {
      required: true,
    }),
    direction: attr.string('`upload` into the machine, or `download` from it.', {
      default: 'upload',
      oneOf: ['upload', 'download'],
    }),
    generated: attr.bool('The source is made by the build itself: it need not be there before.', {
      default: false,
    }),
  },
  {},
  (o): OptionProblem[] => {
    const { source, sources, content } = o;
    const message = unlessExactlyOne({ source, sources, content });
    const problems: OptionProblem[] = message === undefined ? [] : [{ path: [], message }];
    if (o.content !== undefined && o.direction === 'download') {
      problems.push({
        path: ['content'],
        message: 'content is for uploads; a download needs a source in the machine',
      });
    }
    return problems;
  },
);

type FileOptions = OptionsOf<typeof fileSpec>;

/** `provisioner "file"`: files and folders into the machine, or out of it. */
export const fileProvisioner: Provisioner<FileOptions> = {
  type: 'file',
  version: 2,
  schema: async () => fileSpec,
  files: (o) => (o.direction === 'download' || o.generated ? [] : sourcesOf(o)),
  lateFiles: (o) => (o.direction === 'upload' && o.generated ? sourcesOf(o) : []),

  async provision(machine, options, ctx) {
    if (options.content !== undefined) {
      await machine.communicator.uploadBytes(options.content, options.destination);
      return { summary: options.destination };
    }
    for (const source of sourcesOf(options)) {
      note(ctx, `${options.direction} ${source} → ${options.destination}`);
      if (options.direction === 'download') await download(machine, source, options.destination, ctx);
      else await upload(machine, source, options.destination, ctx);
    }
    return { summary: `${sourcesOf(options).join(', ')} → ${options.destination}` };
  },
};

function sourcesOf(o: FileOptions): readonly string[] {
  return o.sources ?? (o.source === undefined ? [] : [o.source]);
}

function onHost(path: string, ctx: Context): string {
  return isAbsolute(path) ? path : join(ctx.templateDir, path);
}

async function upload(machine: Machine, source: string, destination: string, ctx: Context): Promise<void> {
  const path = onHost(source, ctx);
  const info = await stat(path).catch(orNothing);
  if (info?.isDirectory()) {
    // join() drops the trailing slash, which says what goes in.
    const from = source.endsWith('/') && !path.endsWith('/') ? `${path}/` : path;
    await machine.communicator.uploadDirectory(from, destination);
    return;
  }
  const target = destination.endsWith('/') ? `${destination}${basename(source)}` : destination;
  await machine.communicator.upload(path, target);
}

/** What is not there is reported by the upload. */
function orNothing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

async function download(machine: Machine, source: string, destination: string, ctx: Context): Promise<void> {
  const target = onHost(destination, ctx);
  if (source.endsWith('/')) {
    await machine.communicator.downloadDirectory(source, target);
    return;
  }
  const file = destination.endsWith('/') ? join(target, basename(source)) : target;
  await machine.communicator.download(source, file);
}
