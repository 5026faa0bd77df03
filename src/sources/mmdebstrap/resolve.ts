import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IngotError } from '../../core/error.ts';
import type { LockedPackage } from '../../core/lock.ts';
import type { BlobCache } from './blobs.ts';
import { nearest } from './nearest.ts';
import { PRIORITIES, type Variant } from './options.ts';
import { type IndexedPackage, parsePackages } from './packages-index.ts';
import type { FetchContext, FetchedSuite } from './suites.ts';

export interface ResolveRequest {
  readonly arch: string;
  readonly variant: Variant;
  /** Packages that the template names. */
  readonly packages: readonly string[];
  /** Packages that we add (kernel, init): named apart in errors. */
  readonly implied: readonly string[];
  /** Packages to unpack beside the image; their dependencies are not taken. */
  readonly tools: readonly string[];
}

export interface Resolution {
  readonly packages: readonly LockedPackage[];
  readonly tools: readonly LockedPackage[];
}

/** apt-patterns(7) of the packages that a variant starts with. */
export function variantPatterns(variant: Variant): string[] {
  const patterns = ['?essential', ...PRIORITIES[variant].map((priority) => `?priority(${priority})`)];
  return variant === 'essential' ? patterns : [...patterns, 'apt'];
}

/**
 * Lets the host's apt choose the packages, in a state of its own that holds the fetched lists and nothing of
 * the host. Nothing is downloaded: apt only names what it would take.
 */
export async function resolve(
  suites: readonly FetchedSuite[],
  request: ResolveRequest,
  cache: BlobCache,
  ctx: FetchContext,
): Promise<Resolution> {
  const catalogue = await readCatalogue(suites, cache);
  for (const name of [...request.packages, ...request.implied, ...request.tools])
    checkKnown(name, catalogue, suites);
  await using scratch = await ctx.host.scratch(ctx.workDir, 'apt-');
  const config = await writeAptState(scratch.dir, suites, request.arch, cache);
  const ask = async (args: readonly string[]): Promise<LockedPackage[]> => {
    const result = await ctx.host.run('apt-get', args, {
      env: { APT_CONFIG: config },
      okCodes: 'any',
      signal: ctx.signal,
    });
    if (result.exitCode !== 0) throw unsolvable(`${result.stdout}\n${result.stderr}`, request.packages);
    return chosen(result.stdout, catalogue);
  };
  const wanted = [...variantPatterns(request.variant), ...request.packages, ...request.implied];
  const packages = await ask(['install', '--yes', '--no-install-recommends', '--print-uris', ...wanted]);
  // download answers for the names alone, without their dependencies.
  const tools = request.tools.length === 0 ? [] : await ask(['download', '--print-uris', ...request.tools]);
  return { packages, tools };
}

/** What the lists offer, by pseudo host of the archive and pool path, as apt's answers name it. */
interface Catalogue {
  readonly byUrl: ReadonlyMap<string, LockedPackage>;
  readonly names: ReadonlySet<string>;
}

async function readCatalogue(suites: readonly FetchedSuite[], cache: BlobCache): Promise<Catalogue> {
  const byUrl = new Map<string, LockedPackage>();
  const names = new Set<string>();
  for (const [i, suite] of suites.entries()) {
    for (const index of suite.indexes) {
      for (const entry of parsePackages(await readFile(cache.path(index.packages.sha256), 'utf8'))) {
        names.add(entry.name);
        byUrl.set(`${hostName(i)}/${entry.filename}`, toLocked(entry, suite.locked.archive));
      }
    }
  }
  return { byUrl, names };
}

function toLocked(entry: IndexedPackage, archive: string): LockedPackage {
  const { name, version, architecture, sha256, size, filename } = entry;
  return { name, version, architecture, sha256, size, filename, archive };
}

/** Stands for the mirror in apt's state, so that no URL of a mirror is needed (RFC 2606: never resolves). */
function hostName(index: number): string {
  return `suite${index}.invalid`;
}

async function writeAptState(
  dir: string,
  suites: readonly FetchedSuite[],
  arch: string,
  cache: BlobCache,
): Promise<string> {
  const lists = join(dir, 'lists');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(dir, 'archives', 'partial'), { recursive: true });
  await mkdir(join(dir, 'etc'));
  await writeFile(join(dir, 'status'), '');
  const sources: string[] = [];
  for (const [i, { locked, indexes }] of suites.entries()) {
    sources.push(`deb [arch=${arch}] http://${hostName(i)} ${locked.suite} ${locked.components.join(' ')}`);
    // The names that apt gives its lists: the URI without scheme, slashes as underscores.
    const prefix = `${hostName(i)}_dists_${locked.suite.replaceAll('/', '_')}_`;
    await symlink(cache.path(locked.inRelease.slice('sha256:'.length)), join(lists, `${prefix}InRelease`));
    for (const { component, packages } of indexes) {
      const name = `${prefix}${component.replaceAll('/', '_')}_binary-${arch}_Packages`;
      await symlink(cache.path(packages.sha256), join(lists, name));
    }
  }
  await writeFile(join(dir, 'sources.list'), sources.map((line) => `${line}\n`).join(''));
  const config = join(dir, 'apt.conf');
  await writeFile(config, aptConfig(dir, arch));
  return config;
}

function aptConfig(dir: string, arch: string): string {
  const settings: [string, string][] = [
    ['Dir::State', dir],
    ['Dir::State::lists', join(dir, 'lists')],
    ['Dir::State::status', join(dir, 'status')],
    ['Dir::State::extended_states', join(dir, 'extended_states')],
    ['Dir::Cache', dir],
    ['Dir::Cache::archives', join(dir, 'archives')],
    ['Dir::Etc', join(dir, 'etc')],
    ['Dir::Etc::main', '/dev/null'],
    ['Dir::Etc::parts', '/dev/null'],
    ['Dir::Etc::preferences', '/dev/null'],
    ['Dir::Etc::preferencesparts', '/dev/null'],
    ['Dir::Etc::sourcelist', join(dir, 'sources.list')],
    ['Dir::Etc::sourceparts', '/dev/null'],
    ['Dir::Log', dir],
    ['APT::Architecture', arch],
    ['APT::Install-Recommends', 'false'],
    ['APT::Install-Suggests', 'false'],
    ['APT::Sandbox::User', 'root'],
    ['Acquire::Languages', 'none'],
    ['Debug::NoLocking', 'true'],
  ];
  // The host's own architectures and phasing must not shine through.
  return [
    ...settings.map(([name, value]) => `${name} "${value}";`),
    `#clear APT::Architectures;`,
    `APT::Architectures { "${arch}"; };`,
    'APT::Get::Always-Include-Phased-Updates "true";',
    '',
  ].join('\n');
}

function chosen(output: string, catalogue: Catalogue): LockedPackage[] {
  const found: LockedPackage[] = [];
  for (const [, url] of output.matchAll(/^'http:\/\/([^']+)' /gm)) {
    const entry = catalogue.byUrl.get(decodeURIComponent(url ?? ''));
    if (!entry)
      throw new IngotError(
        'apt/unresolvable',
        `apt chose ${url}, which no package list names with a SHA-256`,
      );
    found.push(entry);
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function checkKnown(wanted: string, catalogue: Catalogue, suites: readonly FetchedSuite[]): void {
  const name = wanted.replace(/[:=].*$/, '');
  if (catalogue.names.has(name)) return;
  const near = nearest(name, catalogue.names);
  const where = suites.map(({ locked }) => `${locked.suite} (${locked.components.join(', ')})`).join(', ');
  throw new IngotError('apt/no-package', `package "${name}" is in none of ${where}`, {
    hint: near === undefined ? 'Check the name, the suite and the components.' : `Did you mean "${near}"?`,
  });
}

function unsolvable(output: string, packages: readonly string[]): IngotError {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const start = lines.findIndex((line) => /unmet dependencies|^E: /.test(line));
  const said = lines.slice(Math.max(0, start)).filter((line) => !line.startsWith('W: '));
  return new IngotError(
    'apt/unresolvable',
    `apt cannot install ${packages.join(' ') || 'the base system'} together: ${said[0] ?? 'no reason given'}`,
    {
      hint: 'Drop or change one of the packages named below, or their versions.',
      output: said.slice(0, 20),
    },
  );
}
