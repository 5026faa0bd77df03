import type { Artifact } from '../core/artifact.ts';
import { IngotError } from '../core/error.ts';
import type { Communicator, GeneratedData, Machine } from '../core/machine.ts';

/** What stands for a machine where there is none: provisioners on the host run, all others are told why they can't. */
export function noMachine(generated: GeneratedData, artifact: Artifact): Machine {
  return {
    kind: 'none',
    os: 'linux',
    communicator: noCommunicator,
    generated,
    chain: [],
    finish: async () => artifact,
    async [Symbol.asyncDispose]() {},
  };
}

const refuse = async (): Promise<never> => {
  throw new IngotError(
    'machine/none',
    'this source has no machine that a provisioner could run in (communicator = "none")',
    { hint: 'Use shell-local, which runs here, or a source that starts a machine.' },
  );
};

/** Answers every wish with the reason why there is nothing to run in. */
export const noCommunicator: Communicator = {
  exec: refuse,
  upload: refuse,
  uploadBytes: refuse,
  uploadDirectory: refuse,
  download: refuse,
  downloadDirectory: refuse,
};
