import { rm } from 'node:fs/promises';
import type { Artifact } from '../core/artifact.ts';
import type { Processed } from '../core/plugin.ts';
import type { PlannedStep } from '../plan/types.ts';

interface Chain {
  /** What the last post-processor of the chain made. */
  last: Artifact;
  /** What earlier ones made, where it was to be kept. */
  readonly kept: Artifact[];
}

/**
 * What post-processors hand to each other. Every chain starts with the build's own artifact; in a chain, each takes
 * what the one before it made. An input that nobody wants to keep is deleted: within a chain at once, the build's own
 * when all chains have ended (Packer's rules for `keep_input_artifact`). What a post-processor failed on stays, too,
 * where Packer deletes a build's own artifact that no other chain keeps: it took time to make.
 */
export class ArtifactChains {
  #own: Artifact | undefined;
  #keepOwn = false;
  readonly #chains = new Map<number, Chain>();

  /** The build's own artifact; the first word counts. */
  begin(artifact: Artifact): void {
    this.#own ??= artifact;
  }

  /** What a post-processor is to work on. */
  inputOf(step: PlannedStep): Artifact {
    const input = this.#chains.get(step.chain?.index ?? 0)?.last ?? this.#own;
    if (!input) throw new Error('a post-processor ran before there was an artifact');
    return input;
  }

  /** Takes what a post-processor answered for `inputOf(step)`. */
  async processed(step: PlannedStep, { artifact, keep, mustKeep }: Processed): Promise<void> {
    const index = step.chain?.index ?? 0;
    const keeps = mustKeep === true || (step.chain?.keepInput ?? keep);
    const chain = this.#chains.get(index);
    if (!chain) {
      this.#keepOwn ||= keeps;
      this.#chains.set(index, { last: artifact, kept: [] });
      return;
    }
    if (keeps) chain.kept.push(chain.last);
    else await remove(chain.last, artifact);
    chain.last = artifact;
  }

  /** Ends a chain whose post-processor failed. */
  failed(step: PlannedStep): void {
    if (!this.#chains.has(step.chain?.index ?? 0)) this.#keepOwn = true;
  }

  /** Ends all chains and answers what is left: the build's own artifact, where kept, then those of the chains. */
  async settle(): Promise<readonly Artifact[]> {
    if (!this.#own) return [];
    const made = [...this.#chains.values()].flatMap(({ kept, last }) => [...kept, last]);
    if (this.#chains.size === 0 || this.#keepOwn) return unique([this.#own, ...made]);
    const files = new Set(made.flatMap((artifact) => artifact.files));
    await remove(this.#own, { files: [...files] });
    return unique(made.filter((artifact) => artifact !== this.#own));
  }
}

/** Post-processors that pass their input on leave one artifact, not two. */
function unique(artifacts: readonly Artifact[]): Artifact[] {
  return [...new Set(artifacts)];
}

/** Deletes an artifact, but for the files that the next one has, too. */
async function remove(artifact: Artifact, next: Pick<Artifact, 'files'>): Promise<void> {
  for (const file of artifact.files) if (!next.files.includes(file)) await rm(file, { force: true });
  await artifact.discard?.();
}
