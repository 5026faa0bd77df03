import type { Clock } from '../core/clock.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { evaluate, type ResultGroup, type TestResult } from './goss/evaluate.ts';
import { failureText } from './goss.ts';
import { SafeRegExp } from '../template/index.ts';
import type { GossFile } from './goss/load.ts';
import { expectationOf, type GossResource, idOf, optionText, subjectOf, typeOf } from './goss/resource.ts';
import { FactError } from './goss/system.ts';
import { type InstalledPackages, readPackages } from './goss/systems/package-databases.ts';
import { valueText } from './goss/go-text.ts';
import { type GoValue, isList, isMap } from './goss/values.ts';
import { HardenedImage } from './hardening/disk-commands.ts';

/** A check of a hardening file, decided on the disk. */
export interface HardeningResult {
  readonly id: string;
  readonly title: string;
  readonly reason?: string;
  /** Requirements of PCI DSS 4.0. */
  readonly pci?: readonly string[];
  /** `n/a`: the package that it speaks of is not installed. */
  readonly status: 'passed' | 'failed' | 'n/a';
  readonly message?: string;
}

/** What a check is called: `id` of its meta, or its type and key. */
export function hardeningId(resource: GossResource): string {
  return metaText(resource, 'id') ?? `${resource.type}:${resource.key}`;
}

/**
 * Runs a hardening file on an unbooted image: a goss file whose resources say in `meta` who they are (`id`), why
 * (`reason`), which requirements they serve (`pci-dss`), and of which package they speak (`package`): without it they do
 * not apply. What the disk does not decide counts as failed.
 */
export async function checkHardening(
  file: GossFile,
  root: Rootfs,
  ctx: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<HardeningResult[]> {
  const installed = packagesOf(root);
  const absent = (resource: GossResource): boolean => {
    const name = metaText(resource, 'package');
    return name !== undefined && installed !== undefined && !installed.has(name);
  };
  const resources = file.resources.filter((r) => !absent(r));
  const image = new HardenedImage(root);
  const groups = await evaluate(resources, image, ctx);
  const byResource = new Map(groups.map((group) => [group[0]?.resource, group]));
  return file.resources
    .map(
      (resource): HardeningResult => ({
        ...describe(resource),
        ...(absent(resource) ? { status: 'n/a' as const } : judge(byResource.get(resource), image)),
      }),
    )
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** undefined: nobody can tell what is installed, and every check applies. */
function packagesOf(root: Rootfs): InstalledPackages | undefined {
  try {
    return readPackages(root);
  } catch (error) {
    if (error instanceof FactError) return undefined;
    throw error;
  }
}

function describe(resource: GossResource): Omit<HardeningResult, 'status'> {
  const reason = metaText(resource, 'reason');
  const pci = metaOf(resource, 'pci-dss');
  const requirements = pci !== undefined && isList(pci) ? pci.map(valueText) : undefined;
  return {
    id: hardeningId(resource),
    title: optionText(resource, 'title') ?? `${typeOf(resource).title} ${idOf(resource)}`,
    ...(reason !== undefined && { reason }),
    ...(requirements && { pci: requirements }),
  };
}

function judge(
  group: ResultGroup | undefined,
  image: HardenedImage,
): Pick<HardeningResult, 'status' | 'message'> {
  if (!group) return { status: 'failed', message: 'it checks nothing' };
  const isSkipped = group.every(({ outcome, elsewhere }) => outcome === 'skip' && elsewhere === undefined);
  if (isSkipped)
    return { status: 'failed', message: 'the file says skip: take it out, or except it by its id' };
  const told = group.flatMap((result) => {
    if (result.outcome === 'fail') return [whatFailed(result, image)];
    return result.elsewhere === undefined ? [] : [`${result.property}: ${result.elsewhere}`];
  });
  return told.length === 0 ? { status: 'passed' } : { status: 'failed', message: told.join('; ') };
}

/** Lines that are shown of what a command would print. */
const SHOWN = 5;

/** Of a command, the lines that should not be there, or what stands in the place of those that should. */
function whatFailed(result: TestResult, image: HardenedImage): string {
  const { resource, attribute } = result;
  const patterns = expectationOf(resource, attribute);
  const output = resource.type === 'command' && image.output(subjectOf(resource));
  if (attribute !== 'stdout' || typeof output !== 'string' || patterns === undefined || !isList(patterns))
    return failureText(result);
  const lines = output.split('\n').filter((line) => line !== '');
  const told = patterns.map(valueText).flatMap((pattern): string[] => {
    const [, not, source = ''] = /^(!?)\/(.*)\/$/s.exec(pattern) ?? [];
    const regexp = new SafeRegExp(source);
    const matching = lines.filter((line) => regexp.find(line) !== undefined);
    if (not === '!') return matching.length === 0 ? [] : [`found ${some(matching)}`];
    if (matching.length > 0) return [];
    const word = /^\^(\w+) /.exec(source)?.[1];
    const instead = word === undefined ? [] : lines.filter((line) => line.startsWith(`${word} `));
    return [`found ${instead.length > 0 ? some(instead) : 'no such line'}, expected ${source}`];
  });
  return `${subjectOf(resource)}: ${told.join('; ')}`;
}

function some(lines: readonly string[]): string {
  const more = lines.length > SHOWN ? ` and ${lines.length - SHOWN} more` : '';
  return `${lines.slice(0, SHOWN).join(', ')}${more}`;
}

function metaOf(resource: GossResource, key: string): GoValue | undefined {
  const meta = resource.attributes.get('meta');
  return isMap(meta) ? meta.get(key) : undefined;
}

function metaText(resource: GossResource, key: string): string | undefined {
  const value = metaOf(resource, key);
  return value === undefined ? undefined : valueText(value);
}
