import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import type { Context } from '../../core/context.ts';
import { asIngotError, IngotError } from '../../core/error.ts';
import { Scope } from '../../core/scope.ts';
import { readDisk } from './disk-pass.ts';
import { checkOptions } from './options.ts';
import { Pool } from './pool.ts';
import type {
  DiskFormat,
  DiskWriter,
  ExportInput,
  FormatJob,
  OutputFile,
  OutputRequest,
  RootfsFormat,
} from './types.ts';

type Format = DiskFormat | RootfsFormat;

/**
 * Writes every requested output, side by side: the disk is read once for all formats made from it, and one pool of
 * threads compresses for all. Answers in the order of the requests. When one fails, none is left behind.
 * Throws `output/*`.
 */
export async function exportWith(
  formats: readonly Format[],
  input: ExportInput,
  requests: readonly OutputRequest[],
  ctx: Context,
): Promise<OutputFile[]> {
  const wanted = requests.map((request) => ({ request, format: formatOf(formats, input, request) }));
  const created: string[] = [];
  const failed = new AbortController();
  const inner: Context = { ...ctx, signal: AbortSignal.any([ctx.signal, failed.signal]) };
  const stop = (reason: unknown) => failed.abort(reason);
  try {
    await using scope = new Scope();
    const pool = scope.use(new Pool());
    const writers: DiskWriter[] = [];
    const rootfsParts: (() => Promise<void>)[] = [];
    for (const { request, format } of wanted) {
      const file = await create(request.target);
      created.push(request.target);
      scope.defer(request.target, () => file.close());
      const job: FormatJob<never> = {
        options: request.options as never,
        target: request.target,
        file,
        seed: request.seed,
        stamp: input.stamp,
        epoch: input.epoch,
        pool,
        ctx: inner,
      };
      if (format.input === 'disk') {
        const disk = input.disk as NonNullable<ExportInput['disk']>;
        writers.push(scope.use(await format.open({ ...job, disk }), format.type));
      } else {
        const rootfs = input.rootfs as NonNullable<ExportInput['rootfs']>;
        rootfsParts.push(() => format.write({ ...job, rootfs }));
      }
    }
    const parts = [
      async () => {
        if (input.disk) await readDisk(input.disk, writers, pool, inner);
        await settle(
          writers.map((writer) => () => writer.finish()),
          stop,
        );
      },
      ...rootfsParts,
    ];
    await settle(parts, stop);
    return await Promise.all(wanted.map(({ request, format }) => describe(request, format, input, pool)));
  } catch (error) {
    await Promise.all(created.map((path) => rm(path, { force: true })));
    ctx.signal.throwIfAborted();
    throw explained(error);
  }
}

function formatOf(formats: readonly Format[], input: ExportInput, request: OutputRequest): Format {
  const format = formats.find((f) => f.type === request.format);
  if (!format) {
    throw new IngotError(
      'output/unknown-format',
      `there is no output format ${JSON.stringify(request.format)}`,
      {
        hint: `Use one of ${formats.map((f) => f.type).join(', ')}.`,
      },
    );
  }
  if (!input[format.input]) {
    const need = format.input === 'disk' ? 'a disk' : "an image's file system";
    throw new IngotError(
      'output/no-input',
      `output "${format.type}" is made from ${need}, and this build has none`,
      {
        hint: 'Choose an output that fits the source.',
      },
    );
  }
  checkOptions(format.type, format.spec, request.options);
  return format;
}

async function create(target: string): Promise<FileHandle> {
  try {
    return await open(target, 'wx+', 0o644);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new IngotError('output/exists', `${target} exists, expected no such file`, {
      hint: 'Remove it, or choose another place for the outputs.',
      cause: error,
    });
  }
}

/**
 * Runs all to their end, then throws the first failure: nobody is still writing when clean-up begins. `onFailure`
 * is called at once, to stop the others.
 */
async function settle(
  parts: readonly (() => Promise<void>)[],
  onFailure: (reason: unknown) => void,
): Promise<void> {
  const failures: unknown[] = [];
  const run = async (part: () => Promise<void>) => {
    try {
      await part();
    } catch (error) {
      failures.push(error);
      onFailure(error);
    }
  };
  await Promise.all(parts.map(run));
  if (failures.length > 0) throw failures[0];
}

async function describe(
  request: OutputRequest,
  format: Format,
  input: ExportInput,
  pool: Pool,
): Promise<OutputFile> {
  const { size } = await stat(request.target);
  return {
    path: request.target,
    format: format.type,
    size,
    digest: `sha256:${await pool.hash(request.target, 0, size)}`,
    ...(format.input === 'disk' && input.disk && { virtualSize: format.virtualSize(input.disk.size) }),
  };
}

function explained(error: unknown): IngotError {
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    return new IngotError('output/no-space', 'the disk became full while the outputs were written', {
      hint: 'Free some space, or ask for fewer outputs; raw and vhd are the largest.',
      cause: error,
    });
  }
  return asIngotError(error, 'output/failed');
}
