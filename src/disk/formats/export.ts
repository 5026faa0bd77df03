import { chmod, type FileHandle, open, rm, stat } from 'node:fs/promises';
import type { Context } from '../../core/context.ts';
import type { Digest } from '../../core/digest.ts';
import { asIngotError, IngotError } from '../../core/error.ts';
import { Scope } from '../../core/scope.ts';
import { ContentHash } from './content-hash.ts';
import { readDisk } from './disk-pass.ts';
import { dataExtents } from './extents.ts';
import { checkOptions } from './options.ts';
import { Pool } from './pool.ts';
import type {
  Disk,
  DiskFormat,
  DiskWriter,
  ExportInput,
  FormatJob,
  OutputFile,
  OutputRequest,
  RootfsFormat,
} from './types.ts';

type Format = DiskFormat | RootfsFormat;

interface Wanted {
  readonly request: OutputRequest;
  readonly format: Format;
}

/** Everything between the opened targets and their digests. */
interface Run {
  readonly input: ExportInput;
  readonly pool: Pool;
  /** Its signal also fires when another output fails. */
  readonly ctx: Context;
  readonly scope: Scope;
  /** Digests known without reading the file again, by target. */
  readonly digests: Map<string, Digest>;
}

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
  try {
    await using scope = new Scope();
    const pool = scope.use(new Pool());
    const files = new Map<string, FileHandle>();
    for (const { request } of wanted) {
      const file = await create(request.target);
      created.push(request.target);
      files.set(request.target, file);
      scope.defer(request.target, () => file.close());
    }
    const digests = new Map<string, Digest>();
    await together(ctx.signal, (signal) => {
      const run: Run = { input, pool, ctx: { ...ctx, signal }, scope, digests };
      const jobOf = ({ request }: Wanted): FormatJob<never> => ({
        options: request.options as never,
        target: request.target,
        file: files.get(request.target) as FileHandle,
        ...(request.keptAs !== undefined && { keptAs: request.keptAs }),
        seed: request.seed,
        stamp: input.stamp,
        epoch: input.epoch,
        pool,
        ctx: run.ctx,
      });
      return [
        fromDisk(run, wanted, jobOf),
        ...wanted.map(async (each) => {
          if (each.format.input === 'rootfs' && input.rootfs) {
            await each.format.write({ ...jobOf(each), rootfs: input.rootfs });
          }
        }),
      ];
    });
    return await Promise.all(wanted.map((each) => describe(each, input, pool, digests)));
  } catch (error) {
    await Promise.all(created.map((path) => rm(path, { force: true })));
    ctx.signal.throwIfAborted();
    throw asIngotError(error, 'output/failed');
  }
}

async function fromDisk(run: Run, wanted: readonly Wanted[], jobOf: (each: Wanted) => FormatJob<never>) {
  const { input, pool, ctx, scope, digests } = run;
  if (!input.disk || !wanted.some(({ format }) => format.input === 'disk')) return;
  const disk: Disk = {
    ...input.disk,
    extents: await dataExtents(input.disk.path, ctx),
    content: new ContentHash(input.disk.size),
  };
  const writers: { target: string; writer: DiskWriter }[] = [];
  for (const each of wanted) {
    if (each.format.input !== 'disk') continue;
    const writer = scope.use(await each.format.open({ ...jobOf(each), disk }), each.format.type);
    writers.push({ target: each.request.target, writer });
  }
  await readDisk(
    disk,
    writers.map(({ writer }) => writer),
    pool,
    ctx,
  );
  await together(ctx.signal, () =>
    writers.map(async ({ target, writer }) => {
      const digest = await writer.finish();
      if (digest) digests.set(target, digest);
    }),
  );
}

/**
 * Runs all to their end and throws what failed first: nobody is still writing when clean-up begins. A failure fires
 * the signal, which stops the others.
 */
async function together(outer: AbortSignal, start: (signal: AbortSignal) => Promise<void>[]): Promise<void> {
  const failed = new AbortController();
  const failures: unknown[] = [];
  const parts = start(AbortSignal.any([outer, failed.signal])).map((part) =>
    part.catch((error: unknown) => {
      failures.push(error);
      failed.abort(error);
    }),
  );
  await Promise.all(parts);
  if (failures.length > 0) throw failures[0];
}

function formatOf(formats: readonly Format[], input: ExportInput, request: OutputRequest): Format {
  const format = formats.find((f) => f.type === request.format);
  if (!format) {
    const message = `there is no output format ${JSON.stringify(request.format)}`;
    throw new IngotError('output/unknown-format', message, {
      hint: `Use one of ${formats.map((f) => f.type).join(', ')}.`,
    });
  }
  if (!input[format.input]) {
    const need = format.input === 'disk' ? 'a disk' : "an image's file system";
    const message = `output "${format.type}" is made from ${need}, and this build has none`;
    throw new IngotError('output/no-input', message, { hint: 'Choose an output that fits the source.' });
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

async function describe(
  { request, format }: Wanted,
  input: ExportInput,
  pool: Pool,
  digests: ReadonlyMap<string, Digest>,
): Promise<OutputFile> {
  // Whatever the umask, and whichever tool made the file.
  await chmod(request.target, 0o644);
  const { size } = await stat(request.target);
  return {
    path: request.target,
    format: format.type,
    size,
    digest: digests.get(request.target) ?? `sha256:${await pool.hash(request.target, 0, size)}`,
    ...(format.input === 'disk' && input.disk && { virtualSize: format.virtualSize(input.disk.size) }),
  };
}
