import { readdirSync, readFileSync } from 'node:fs';
import { homedir, hostname, networkInterfaces, userInfo } from 'node:os';
import { join } from 'node:path';

/** What tells the machine and the person that build from others. */
export interface BuilderFacts {
  /** As the kernel has it, perhaps with a domain. */
  readonly hostname: string;
  /** Users but root, with their home folders: whoever runs us, and whom sudo came from. */
  readonly users: readonly { readonly name: string; readonly home: string }[];
  /** `52:54:00:ab:cd:ef`, of every card. */
  readonly macs: readonly string[];
  readonly addresses: readonly string[];
  /** Lines of authorized_keys(5): the public keys of root and of the users. */
  readonly publicKeys: readonly string[];
}

/** Reads the facts of this machine. What cannot be read is left out. */
export function builderFacts(env: NodeJS.ProcessEnv = process.env): BuilderFacts {
  const me = userInfo();
  const names = [me.username, env.SUDO_USER ?? ''].filter((name) => name !== '' && name !== 'root');
  const users = [...new Set(names)].map((name) => ({
    name,
    home: name === me.username ? me.homedir : `/home/${name}`,
  }));
  const cards = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return {
    hostname: hostname(),
    users,
    macs: [...new Set(cards.map(({ mac }) => mac.toLowerCase()))].sort(),
    addresses: [...new Set(cards.filter((c) => !c.internal).map(({ address }) => address))].sort(),
    publicKeys: [...new Set([homedir(), ...users.map(({ home }) => home)])].flatMap(publicKeysIn),
  };
}

function publicKeysIn(home: string): string[] {
  const folder = join(home, '.ssh');
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.pub'))
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8').trim());
  } catch {
    // No such folder, or one that is not ours to read: then it has no keys that a build could have used.
    return [];
  }
}
