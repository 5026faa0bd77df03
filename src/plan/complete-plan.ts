import { resolve } from 'node:path';
import { digestOf, type Json } from '../core/digest.ts';
import type { NamedSecret } from '../core/named-secret.ts';
import { epochOf, type LockEntry } from '../core/lock.ts';
import type { MachineNeeds, Pinned, Source } from '../core/plugin.ts';
import type { EvalScope } from '../template/index.ts';
import type { ImageBlock } from './image-file.ts';
import { planFiles } from './plan-files.ts';
import { engineOf, shutdownStep } from './plan-machine.ts';
import { planOffline } from './plan-offline.ts';
import type { DraftStep } from './plan-plugins.ts';
import type { GitFacts, StampOptions } from './stamp.ts';
import { fullName } from './targets.ts';
import { type ImagePlan, type PlannedStep, planStep } from './types.ts';
import type { PlanRequest } from './plan-request.ts';
import type { Draft } from './check-template.ts';

/** A draft whose inputs are pinned, as the steps that make its image. */
export async function completePlan(
  parts: Draft,
  pinned: Pinned<unknown>,
  request: PlanRequest,
  git: GitFacts,
): Promise<ImagePlan> {
  const { template, lock } = request;
  const { target } = parts;
  const { use, image, build, name } = target;
  const entry = pinned.lockKey === undefined ? undefined : lock.entries[pinned.lockKey];
  const baseDate = epochOf(entry);
  const epoch = baseDate ?? 1;
  const source = sourceStep(name, target, pinned, entry, epoch);
  const engine = engineOf(target.source, image, request.engine);
  const own = image ? undefined : target.source.output?.(pinned.options as never, use.name);
  const outputDir = image?.outputDirectory ?? own?.directory ?? `output-${name}`;
  // Where the template says it, the folder is found as all paths of a template are.
  const beside = own ? request.context.templateDir : template.dir;
  const common = {
    name,
    build: fullName(build, use),
    source: { type: use.type, name: use.name },
    needs: engine === 'container' ? CONTAINER : needsOf(target.source, pinned.options),
    epoch,
    ...(parts.errorCleanup && {
      errorCleanup: planStep({ ...parts.errorCleanup.step, label: `${name}/error-cleanup` }),
    }),
    outputDir: request.outputDir === undefined ? resolve(beside, outputDir) : resolve(request.outputDir),
  };
  if (target.source.produces === 'files') {
    const { provisioners, postProcessors } = parts;
    const planned = planFiles({ name, source, epoch, image, git, provisioners, postProcessors });
    return { ...common, ...planned, produces: 'files' };
  }
  const { steps, top, after } = provisionerSteps(name, source, parts.provisioners, epoch);
  const shutdown = engine === 'vm' ? shutdownStep(name, top, after, epoch) : undefined;
  const lockDigest = digestOf(entry ?? null);
  const offline = await planOffline({
    name,
    top: shutdown?.id ?? top,
    after: shutdown ? [] : after,
    ...(own && { own }),
    wholeDisk: target.source.layers === 'qcow2',
    epoch,
    image,
    catalog: request.catalog,
    git,
    dirtyMark: digestOf([
      template.digest,
      lockDigest,
      image ? shapeOf(image) : null,
      parts.provisioners.map((p) => p.step.spec.files as unknown as Json),
    ]),
    templateDigest: template.digest,
    lockDigest,
    annotations: parts.annotations,
    ...(pinned.lockKey !== undefined && { lockKey: pinned.lockKey }),
    origin: originOf(entry),
    toolsDigest: digestOf(entry?.kind === 'apt' ? entry.tools : null),
    postProcessors: parts.postProcessors.map((p) => p.step),
    secrets: namedSecrets(parts, template.scope),
    references: [...parts.provisioners, ...parts.postProcessors].flatMap((p) => p.references),
    testFiles: parts.testFiles,
    firstBootFiles: parts.firstBootFiles,
    policyFiles: parts.policyFiles,
    ...(baseDate !== undefined && { baseDate }),
    now: request.context.clock.now(),
  });
  return {
    ...common,
    produces: 'rootfs',
    version: offline.version,
    steps: [...steps, ...(shutdown ? [shutdown] : []), ...offline.steps],
    annotations: offline.annotations,
  };
}

/** A container shares the host's kernel; this is what apt, dpkg and an init system take at most times. */
const CONTAINER: MachineNeeds = { memory: 512 * 1024 * 1024, cpus: 1 };
const NOTHING: MachineNeeds = { memory: 0, cpus: 0 };

function needsOf(source: Source<never>, options: unknown): MachineNeeds {
  return source.needs?.(options as never) ?? (source.produces === 'rootfs' ? CONTAINER : NOTHING);
}

/** The image that a source starts from, where its lock entry is of one. */
function originOf(entry: LockEntry | undefined): Pick<StampOptions, 'base' | 'ancestry'> {
  if (entry?.kind !== 'image') return {};
  const { image, manifest, ancestry } = entry;
  return { base: { name: image, digest: manifest.digest }, ...(ancestry && { ancestry }) };
}

/** Each provisioner stands on the layer below it; those on the host stand beside the layers. */
function provisionerSteps(
  name: string,
  source: PlannedStep,
  drafts: readonly DraftStep[],
  epoch: number,
): { steps: PlannedStep[]; top: PlannedStep['id']; after: PlannedStep['id'][] } {
  const steps = [source];
  let top = source.id;
  let after: PlannedStep['id'][] = [];
  let isTouched = false;
  for (const part of drafts) {
    const step = planStep({
      ...part.step,
      // What runs on the host may write there.
      ...(isTouched && part.step.reads && part.step.reads.length > 0 && { late: true }),
      label: `${name}/${part.step.label}`,
      after,
      spec: { ...part.step.spec, inputs: [top], epoch },
    });
    steps.push(step);
    isTouched ||= part.onHost;
    if (part.onHost) {
      after = [...after, step.id];
    } else {
      top = step.id;
      after = [];
    }
  }
  return { steps, top, after };
}

function sourceStep(
  name: string,
  target: Draft['target'],
  pinned: Pinned<unknown>,
  entry: unknown,
  epoch: number,
): PlannedStep {
  const { use, source, decoded } = target;
  // Tools (boot loaders) are no part of the filesystem: they enter the disk step.
  const locked = entry === undefined ? null : digestOf({ ...(entry as object), tools: undefined });
  const written = decoded.secrets.length > 0 ? decoded.hashForm : (pinned.options as Json);
  const options =
    pinned.hashed === undefined ? written : { written: decoded.hashForm, outside: pinned.hashed };
  return planStep({
    label: `${name}/${use.type}.${use.name}`,
    title: `${use.type} ${use.name}`,
    spec: {
      kind: 'source',
      type: use.type,
      version: source.version,
      options: { options, lock: locked },
      inputs: [],
      files: [],
      epoch,
    },
    origin: use.range,
    options: pinned.options,
    meta: {},
    after: [],
    cacheable: source.produces === 'rootfs',
  });
}

/** A draft's secrets, by the names that the template has for them. */
export function namedSecrets(draft: Draft, scope: EvalScope): NamedSecret[] {
  const names = new Map(
    [...scope.secrets].flatMap(([name, values]) => values.map((v) => [v, name] as const)),
  );
  return [...new Set(draft.secrets)].map((value) => ({
    name: names.get(value) ?? 'a sensitive value',
    value,
  }));
}

/** What of an image file is in what is released. */
function shapeOf({ outputs, disk, firstBoot, seal }: ImageBlock): Json {
  return [...outputs, disk, firstBoot, seal].map((block) => (block ? [block.type, block.hashForm] : null));
}
