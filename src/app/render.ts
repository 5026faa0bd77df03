import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { type Diagnostic, hasErrors } from '../core/diagnostic.ts';
import { DiagnosticsError, IngotError } from '../core/error.ts';
import { Scope } from '../core/scope.ts';
import type { SearchSecrets } from '../firstboot/render/search-part.ts';
import { DATA_KINDS, type DataKind, PROVIDERS } from '../firstboot/render/providers.ts';
import { readBounded, readFolder, readInput } from '../firstboot/render/read-inputs.ts';
import { type InputFile, type Rendered, renderData } from '../firstboot/render/render.ts';
import { type CloudInitSchemas, schemasFrom, schemasOf } from '../firstboot/render/schemas.ts';
import { readSet, readValues, type Values } from '../firstboot/render/values.ts';
import { openRootfs } from '../host/index.ts';
import { type SeedFiles, writeSeedImage } from '../host/seed-image.ts';
import { findingText } from '../scan/patterns.ts';
import { defaultRules } from '../scan/patterns/read-rules.ts';
import { PatternSearch } from '../scan/patterns/search-text.ts';
import { writeSecretFile } from '../secrets/write-secret-file.ts';
import { type ImageRequest, openImage } from './open-image.ts';
import { packageRoot } from './package-root.ts';
import { type Deps, openSession, type Session } from './session.ts';

export interface RenderOptions {
  /** Folder of user-data, vendor-data, meta-data and network-config. */
  readonly folder?: string;
  /** Files that are given by flags, in their order; they stand in place of the folder's of their kind. */
  readonly files: Partial<Record<DataKind, readonly string[]>>;
  readonly provider: string;
  /** `name=value` */
  readonly set: readonly string[];
  /** YAML files of values; later ones win, `set` over all. */
  readonly values: readonly string[];
  /** Checks against the cloud-init that is in this image. */
  readonly image?: ImageRequest;
  /** The schema of that version, where there is no image. */
  readonly cloudInit: string;
  /** Folder to write to. */
  readonly output?: string;
  /** Seed image of NoCloud to write: `*.iso`, or vfat as `*.img`. */
  readonly seed?: string;
}

export interface RenderReport extends Rendered {
  /** Version of cloud-init whose schema was held against it. */
  readonly cloudInit: string;
}

/** `ingot render`: what one instance is told at its launch. Throws everything that is wrong with it at once. */
export async function render(o: RenderOptions, deps: Deps): Promise<RenderReport> {
  const session = openSession(deps);
  const provider = PROVIDERS.get(o.provider);
  if (!provider) throw new Error(`no provider ${o.provider}`);
  if (o.seed !== undefined) checkSeed(o.seed, provider.name);
  const found: Diagnostic[] = [];
  const values = await valuesOf(o, found);
  const schemas = await schemasFor(o, session, deps);
  const rendered = renderData({
    files: await inputsOf(o),
    values,
    given: Object.keys(readSet(o.set)),
    provider,
    schemas,
    search: patternSearch(),
  });
  const diagnostics = [...found, ...rendered.diagnostics];
  if (hasErrors(diagnostics)) throw new DiagnosticsError(diagnostics, undefined, rendered.sources);
  if (o.output !== undefined) await writeFolder(o.output, rendered);
  if (o.seed !== undefined) await writeSeed(o.seed, rendered, session);
  return { ...rendered, diagnostics, cloudInit: schemas.version };
}

async function valuesOf(o: RenderOptions, found: Diagnostic[]): Promise<Values> {
  let values: Values = {};
  for (const file of o.values)
    values = { ...values, ...readValues(file, (await readBounded(file)).toString('utf8'), found) };
  return { ...values, ...readSet(o.set) };
}

async function inputsOf({ folder, files }: RenderOptions): Promise<InputFile[]> {
  const given = DATA_KINDS.filter((kind) => files[kind] !== undefined);
  const own = folder === undefined ? [] : await readFolder(folder);
  const all = own.filter(({ kind }) => !given.includes(kind));
  for (const kind of given) for (const path of files[kind] ?? []) all.push(...(await readInput(kind, path)));
  return all;
}

/** By version; compiled once, since that takes longer than all the rest. */
const bundled = new Map<string, CloudInitSchemas>();

async function schemasFor(o: RenderOptions, session: Session, deps: Deps): Promise<CloudInitSchemas> {
  if (o.image) {
    await using image = await openImage(o.image, session, deps);
    return schemasOf(openRootfs(image.dir), o.image.image);
  }
  let schemas = bundled.get(o.cloudInit);
  if (!schemas) {
    const path = join(packageRoot(), 'schema/cloud-init', `${o.cloudInit}.json`);
    schemas = schemasFrom(o.cloudInit, JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>);
    bundled.set(o.cloudInit, schemas);
  }
  return schemas;
}

/** Ours search the system's configuration; what is written by user-data mostly becomes part of it. */
function patternSearch(): SearchSecrets {
  const search = new PatternSearch(defaultRules());
  return (name, content) =>
    search.file(`etc/${name}`, content).map((finding) => findingText({ ...finding, path: name }));
}

function checkSeed(seed: string, provider: string): void {
  const problem =
    provider === 'nocloud'
      ? ['.iso', '.img'].includes(extname(seed))
        ? undefined
        : `--seed ${seed}: expected a name that ends in .iso, or in .img for vfat`
      : `--seed is for --provider nocloud, not for ${provider}`;
  if (problem !== undefined)
    throw new IngotError('render/bad-seed', problem, {
      hint: 'A seed is a small disk beside the image: ingot render --seed seed.iso.',
      exitCode: 2,
    });
}

/** Every name that is ever written: one of an earlier run would be taken for a part of this one. */
const WRITTEN = [...DATA_KINDS, 'user-data-encoding', 'guestinfo.json'];

async function writeFolder(folder: string, { files }: Rendered): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of WRITTEN)
    if (!files.some((file) => file.name === name)) await rm(join(folder, name), { force: true });
  for (const { name, data } of files) await writeSecretFile(join(folder, name), data, { mode: 0o644 });
}

async function writeSeed(seed: string, { files }: Rendered, { host }: Session): Promise<void> {
  const target = resolve(seed);
  await using scope = new Scope();
  const work = scope.use(await host.scratch(dirname(target), '.seed-'), 'folder of a seed');
  const content: SeedFiles = Object.fromEntries(files.map(({ name, data }) => [name, data]));
  await writeSeedImage(host, work.dir, target, extname(seed) === '.iso' ? 'iso' : 'vfat', content);
}
