import type { ComponentKind } from './official-plugins.ts';

/** Why a component of Packer's world is not built in, and what to do instead. */
export interface Unsupported {
  /** Follows "cannot be built: ". */
  readonly reason: string;
  readonly hint: string;
}

const windows: Unsupported = {
  reason: 'it acts in Windows by WinRM, which Ingot does not speak yet',
  hint: 'Build this image with Packer; sources of Linux have the provisioners shell, file and ansible.',
};

const chef = (reason: string): Unsupported => ({
  reason,
  hint: 'Install Chef or Cinc from a package that you verify, upload the cookbooks (file), and run `chef-client --local-mode` (shell).',
});

const UNSUPPORTED: Partial<Record<ComponentKind, Readonly<Record<string, Unsupported>>>> = {
  provisioners: {
    powershell: windows,
    'windows-shell': windows,
    'windows-restart': windows,
    'windows-update': windows,
    'chef-solo': chef(
      'Debian has no Chef to test it with, and its installer is a script that nothing verifies',
    ),
    'chef-client': chef(
      'it makes the machine a client of a Chef server, whose answers no digest knows, and Debian has no Chef to test it with',
    ),
  },
};

/** Why this type is not built in, where there is more to say than that. */
export function unsupported(kind: ComponentKind, type: string): Unsupported | undefined {
  const types = UNSUPPORTED[kind];
  return types && Object.hasOwn(types, type) ? types[type] : undefined;
}
