import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Artifact } from '../../src/core/artifact.ts';
import type { PostProcessor, Processed } from '../../src/core/plugin.ts';
import { openBench } from '../provisioners/local-machine.ts';
import { optionsOf } from '../provisioners/options.ts';

/** A folder with the files of an artifact, and a way to run a post-processor on them. */
export class ArtifactFiles {
  readonly dir = mkdtempSync(join(tmpdir(), 'ingot-artifact-'));

  /** Writes files and answers them as an artifact. */
  artifact(files: Readonly<Record<string, string>>): Artifact {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.dir, name), text);
    const paths = Object.keys(files).map((name) => join(this.dir, name));
    return { builderId: 'packer.file', id: 'File', files: paths, description: 'files' };
  }

  async process<O>(processor: PostProcessor<O>, hcl: string, artifact: Artifact): Promise<Processed> {
    await using bench = await openBench();
    const build = { name: 'web', type: 'file', runUuid: 'uuid' };
    const ctx = { ...bench.ctx, templateDir: this.dir, build };
    return await processor.process(artifact, await optionsOf(processor, hcl), ctx);
  }

  clean(): void {
    rmSync(this.dir, { recursive: true });
  }
}
