import type { Provisioner } from '../core/plugin.ts';
import {
  localScriptFiles,
  type LocalScriptOptions,
  localScriptSpec,
  runLocalScripts,
} from '../machines/local-script.ts';

/** `provisioner "shell-local"`: scripts on this machine, not in the image: the one exception (SECURITY.md). */
export const shellLocalProvisioner: Provisioner<LocalScriptOptions> = {
  type: 'shell-local',
  version: 1,
  onHost: true,
  schema: async () => localScriptSpec,
  files: localScriptFiles,
  provision: (machine, options, ctx) => runLocalScripts(options, machine.kind, ctx),
};
