import { bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { IngotError } from '../core/error.ts';
import type { Source } from '../core/plugin.ts';
import { communicatorAttributes } from '../machines/communicator-spec.ts';
import { noMachine } from '../machines/no-machine.ts';

const nullSpec = bodySpec(communicatorAttributes, {}, (o): OptionProblem[] => {
  if (o.communicator === 'none') return [];
  const { communicator } = o;
  const host = communicator === 'ssh' ? o.ssh_host : o.winrm_host;
  const user = communicator === 'ssh' ? o.ssh_username : o.winrm_username;
  const needs = (key: string): OptionProblem => ({
    path: [],
    message: `communicator "${communicator}" needs ${communicator}_${key}`,
    hint: 'Write communicator = "none" where there is nothing to connect to.',
  });
  return [...(host === undefined ? [needs('host')] : []), ...(user === undefined ? [needs('username')] : [])];
});

type NullOptions = OptionsOf<typeof nullSpec>;

/** `source "null"`: makes nothing; its provisioners and post-processors run all the same. */
export const nullSource: Source<NullOptions> = {
  type: 'null',
  version: 1,
  produces: 'files',
  schema: async () => nullSpec,

  async pin(options) {
    if (options.communicator === 'none') return { options };
    throw new IngotError(
      'source/no-communicator',
      `the source "null" cannot connect by ${options.communicator} yet; it can with communicator = "none"`,
      { hint: 'With "none", provisioners that run on this machine (shell-local) work.' },
    );
  },

  start: async () =>
    noMachine(new Map([['ID', 'Null']]), {
      builderId: 'packer.null',
      id: 'Null',
      files: [],
      description: 'Did not export anything. This is the null builder',
    }),
};
