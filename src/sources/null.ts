import type { Artifact } from '../core/artifact.ts';
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

/** Keys of Packer's that a connection cannot be made with here. */
const UNSUPPORTED = [
  'ssh_certificate_file',
  'ssh_bastion_certificate_file',
  'ssh_bastion_interactive',
  'ssh_proxy_host',
  'ssh_proxy_username',
  'ssh_proxy_password',
  'ssh_remote_tunnels',
  'ssh_local_tunnels',
  'ssh_clear_authorized_keys',
  'ssh_read_write_timeout',
] as const;

const ARTIFACT: Artifact = {
  builderId: 'packer.null',
  id: 'Null',
  files: [],
  description: 'Did not export anything. This is the null builder',
};
const GENERATED = new Map([['ID', 'Null']]);

/** `source "null"`: makes nothing; its provisioners and post-processors run all the same, on a host that is there. */
export const nullSource: Source<NullOptions> = {
  type: 'null',
  version: 1,
  produces: 'files',
  schema: async () => nullSpec,

  async pin(options) {
    if (options.communicator === 'winrm') {
      throw new IngotError('source/no-communicator', 'the source "null" cannot connect by winrm', {
        hint: 'It can by ssh; with "none", provisioners that run on this machine (shell-local) work.',
      });
    }
    const key = UNSUPPORTED.find((name) => options[name] !== undefined && options[name] !== false);
    if (key === undefined || options.communicator === 'none') return { options };
    throw new IngotError('source/no-communicator', `the source "null" cannot connect with ${key}`, {
      hint: 'Log in with ssh_password, ssh_private_key_file or ssh_agent_auth, through ssh_bastion_host where need be.',
    });
  },

  async start(options, _base, ctx) {
    if (options.communicator === 'none') return noMachine(GENERATED, ARTIFACT);
    const { sshSettingsOf } = await import('../machines/ssh/settings-of.ts');
    const { connectHost } = await import('../machines/ssh-host.ts');
    const settings = await sshSettingsOf(options, undefined, ctx);
    const { ssh_host: host = '', ssh_port: port } = options;
    return connectHost({ ...settings, host, port }, { generated: GENERATED, artifact: ARTIFACT }, ctx);
  },
};
