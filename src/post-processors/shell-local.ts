import type { PostProcessor } from '../core/plugin.ts';
import {
  localScriptFiles,
  type LocalScriptOptions,
  localScriptSpec,
  runLocalScripts,
} from '../machines/local-script.ts';

/** `post-processor "shell-local"`: scripts on this machine when a build is done. The artifact passes through. */
export const shellLocalPostProcessor: PostProcessor<LocalScriptOptions> = {
  type: 'shell-local',
  version: 1,
  schema: async () => localScriptSpec,
  files: localScriptFiles,

  async process(artifact, options, ctx) {
    await runLocalScripts(options, artifact.builderId, ctx);
    return { artifact, keep: true, mustKeep: true };
  },
};
