import type { FileDescriptor } from '../core/descriptor.ts';
import { type Digest, hexOf, type Json } from '../core/digest.ts';
import type { NamedSecret } from '../core/named-secret.ts';
import { decodeBody, emptyBody, emptyScope } from '../template/index.ts';
import type { OwnOutput } from '../core/plugin.ts';
import type { Catalog, DiskStepOptions, OutputStepOptions, ReleaseStepOptions } from './catalog.ts';
import type { ImageBlock, Placed } from './image-file.ts';
import { planPolicy } from './plan-policy.ts';
import { planResidue } from './plan-residue.ts';
import type { GitFacts, StampOptions } from './stamp.ts';
import { type PlannedStep, planStep, type StepKind } from './types.ts';

interface OfflineRequest {
  readonly name: string;
  /** The last step of the filesystem, provisioners included. */
  readonly top: Digest;
  /** Steps on the host that must have ended. */
  readonly after: readonly Digest[];
  /** What the template itself asks for, where there is no image file. */
  readonly own?: OwnOutput;
  /** The layers are those of a disk that boots already. */
  readonly wholeDisk: boolean;
  readonly epoch: number;
  readonly image: ImageBlock | undefined;
  readonly catalog: Catalog;
  readonly git: GitFacts;
  /** Tells apart what was built from one dirty tree and another. */
  readonly dirtyMark: Digest;
  readonly templateDigest: Digest;
  readonly lockDigest: Digest;
  /** More than the stamp says. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly lockKey?: string;
  readonly toolsDigest: Digest;
  /** What the stamp says of the image that this one starts from. */
  readonly origin: Pick<StampOptions, 'base' | 'ancestry'>;
  readonly postProcessors: readonly Omit<PlannedStep, 'id'>[];
  /** What each test of the image file reads on the host. */
  readonly testFiles: readonly (readonly FileDescriptor[] | undefined)[];
  /** What the `first_boot` block reads on the host. */
  readonly firstBootFiles: readonly FileDescriptor[];
  /** What its policy reads there. */
  readonly policyFiles: readonly FileDescriptor[] | undefined;
  /** Newest date in the lock, seconds since 1970; absent where nothing in it carries one. */
  readonly baseDate?: number;
  readonly now: Date;
  /** What must not be in the image. */
  readonly secrets: readonly NamedSecret[];
  /** Texts with references to more of it. */
  readonly references: readonly string[];
}

interface OfflinePlan {
  readonly steps: PlannedStep[];
  readonly version: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The way from the provisioned filesystem to the release: boot-config, stamp, seal, disk, outputs, tests, release. */
export async function planOffline(request: OfflineRequest): Promise<OfflinePlan> {
  const { name, epoch, image, catalog } = request;
  const version = versionOf(request);
  const outputs = image && image.outputs.length > 0 ? image.outputs : defaultOutputs(catalog, request.own);
  const tests = image?.tests ?? [];
  const onDisk = (p: Placed, infos: ReadonlyMap<string, { input: 'disk' | 'rootfs' }>): boolean =>
    infos.get(p.type)?.input === 'disk';
  const wantsDisk =
    outputs.some((o) => onDisk(o, catalog.formats)) || tests.some((t) => onDisk(t, catalog.tests));

  const steps: PlannedStep[] = [];
  let top = request.top;
  const add = (
    kind: StepKind,
    type: string,
    stepVersion: number,
    hashed: Json,
    options: unknown,
    inputs: readonly Digest[],
    extra: {
      title: string;
      label: string;
      cacheable?: boolean;
      origin?: Placed['range'];
      files?: readonly FileDescriptor[];
    },
  ): PlannedStep => {
    const step = planStep({
      label: `${name}/${extra.label}`,
      title: extra.title,
      spec: { kind, type, version: stepVersion, options: hashed, inputs, files: extra.files ?? [], epoch },
      options,
      meta: {},
      after: steps.length === 0 ? request.after : [],
      cacheable: extra.cacheable ?? true,
      ...(extra.origin && { origin: extra.origin }),
    });
    steps.push(step);
    return step;
  };

  const disk = image?.disk ?? defaults('disk', catalog);
  if (wantsDisk && !request.wholeDisk) {
    // The seed is known before the stamp, so that a commit that changes nothing else keeps the UUIDs.
    const options: DiskStepOptions = { ...diskOptions(request, disk), seed: request.top };
    const hashed = { disk: disk.hashForm, seed: request.top };
    top = add('boot-config', 'boot-config', catalog.bootConfig.version, hashed, options, [top], {
      title: 'make it bootable',
      label: 'boot-config',
    }).id;
  }
  if (image?.firstBoot) {
    const { options, hashForm, range } = image.firstBoot;
    const hashed = { options: hashForm, agent: catalog.firstBoot.agent() };
    top = add('first-boot', 'first-boot', catalog.firstBoot.version, hashed, options, [top], {
      title: 'prepare the first boot',
      label: 'first-boot',
      files: request.firstBootFiles,
      origin: range,
    }).id;
  }
  const stamp: StampOptions = {
    name,
    version,
    ...(request.git.commit !== undefined && { gitCommit: request.git.commit }),
    dirty: request.git.dirty,
    templateDigest: request.templateDigest,
    lockDigest: request.lockDigest,
    epoch,
    ...request.origin,
  };
  top = add('stamp', 'stamp', catalog.stamp.version, stamp as unknown as Json, stamp, [top], {
    title: `stamp ${version}`,
    label: 'stamp',
  }).id;
  const seal = image?.seal ?? defaults('seal', catalog);
  top = add('seal', 'seal', catalog.seal.version, seal.hashForm, seal.options, [top], {
    title: 'seal',
    label: 'seal',
    ...(image?.seal && { origin: image.seal.range }),
  }).id;
  const chain = top;

  let diskId: Digest | undefined;
  if (wantsDisk) {
    const options: DiskStepOptions = { ...diskOptions(request, disk), seed: request.top };
    const hashed = { disk: disk.hashForm, seed: request.top, tools: request.toolsDigest };
    diskId = add('disk', 'disk', catalog.disk.version, hashed, options, [chain], {
      title: 'assemble the disk',
      label: 'disk',
    }).id;
  }
  const annotations = { ...request.annotations, ...catalog.stamp.annotations(stamp) };
  const gates: Digest[] = [];
  for (const output of outputs) {
    const info = catalog.formats.get(output.type);
    if (!info) continue;
    const input = info.input === 'disk' ? (diskId as Digest) : chain;
    const fileName = request.own?.fileName ?? `${name}-${version}.${info.extension}`;
    const hashed = { options: output.hashForm, fileName, annotations };
    const options: OutputStepOptions = {
      format: output.type,
      options: output.options,
      fileName,
      seed: input,
      annotations,
    };
    gates.push(
      add('output', output.type, info.version, hashed, options, [input], {
        title: `write ${output.type}`,
        label: `output.${output.type}`,
        origin: output.range,
      }).id,
    );
  }
  for (const [index, test] of tests.entries()) {
    const info = catalog.tests.get(test.type);
    if (!info) continue;
    const input = info.input === 'disk' ? (diskId as Digest) : chain;
    gates.push(
      add('test', test.type, info.version, test.hashForm, test.options, [input], {
        title: `test ${test.type}`,
        label: `test.${test.type}[${index}]`,
        ...(!request.testFiles[index] && { cacheable: false }),
        files: request.testFiles[index] ?? [],
        origin: test.range,
      }).id,
    );
  }
  const residue = planResidue(image?.residue ?? defaults('residue', catalog), request);
  if (residue) {
    gates.push(
      add('test', 'residue', catalog.residue.version, residue.hashed, residue.options, [diskId ?? chain], {
        title: 'search for secrets',
        label: 'test.residue',
        ...(image?.residue && { origin: image.residue.range }),
      }).id,
    );
  }
  const policy = await planPolicy(request, chain, gatesOf(steps));
  if (policy && image?.policy) {
    const { inputs, hashed, options } = policy;
    gates.push(
      add('test', 'policy', catalog.policy.version, hashed, options, inputs, {
        title: 'hold it against the policy',
        label: 'test.policy',
        cacheable: request.policyFiles !== undefined && steps.every((s) => s.cacheable),
        files: request.policyFiles ?? [],
        origin: image.policy.range,
      }).id,
    );
  }
  let last = gates;
  const processed: Digest[] = [];
  for (const draft of request.postProcessors) {
    const step = planStep({
      ...draft,
      label: `${name}/post-processor.${draft.label}`,
      spec: { ...draft.spec, inputs: last, epoch },
    });
    steps.push(step);
    processed.push(step.id);
    last = [...gates, step.id];
  }
  if (image?.release) {
    const { release } = image;
    const options: ReleaseStepOptions = { release: release.options, name, version, annotations };
    const hashed = { release: release.hashForm, annotations };
    add('release', 'release', catalog.release.version, hashed, options, [...gates, ...processed], {
      title: `release ${name}@${version}`,
      label: 'release',
      cacheable: false,
      origin: release.range,
    });
  }
  return { steps, version, annotations };
}

/** The tests among the steps. */
function gatesOf(steps: readonly PlannedStep[]): Digest[] {
  return steps.filter(({ spec }) => spec.kind === 'test').map(({ id }) => id);
}

function diskOptions(request: OfflineRequest, disk: Placed): Omit<DiskStepOptions, 'seed'> {
  return { disk: disk.options, ...(request.lockKey !== undefined && { lockKey: request.lockKey }) };
}

/**
 * The version as written. From a dirty tree, or to be released from no tree at all, it has a mark that changes with what is
 * built: a release is never changed, so that a second build under the first one's version would be refused at its end.
 */
export function versionOf({
  image,
  git,
  dirtyMark,
}: Pick<OfflineRequest, 'image' | 'git' | 'dirtyMark'>): string {
  const written = image?.version ?? git.version;
  const isMarked = git.dirty || (git.commit === undefined && image?.release !== undefined);
  return isMarked && written === git.version ? `${written}.${hexOf(dirtyMark).slice(0, 8)}` : written;
}

function defaultOutputs(catalog: Catalog, own: OwnOutput = { format: 'qcow2', options: {} }): Placed[] {
  const { format, options } = own;
  const output = decodeEmpty(format, catalog.formats.get(format)?.spec ?? { attributes: {}, blocks: {} });
  return [
    {
      ...output,
      options: { ...(output.options as object), ...options },
      hashForm: { ...(output.hashForm as object), ...options },
    },
  ];
}

function defaults(kind: 'disk' | 'seal' | 'residue', catalog: Catalog): Placed {
  return decodeEmpty(kind, catalog[kind].spec);
}

function decodeEmpty(type: string, spec: Catalog['disk']['spec']): Placed {
  const body = emptyBody('(default)');
  const decoded = decodeBody(body, spec, emptyScope());
  return { type, options: decoded.options, hashForm: decoded.hashForm, range: body.range };
}
