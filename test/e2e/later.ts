import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FOLDER = '/usr/lib/x86_64-linux-gnu/faketime';
const LIBRARY = 'libfaketime.so.1';

/**
 * A clock that is `days` ahead, for one tree of processes: libfaketime in all of them. Ingot gives its children a clean
 * environment and containers see no file of the host, so the two programs that lead there, setpriv and systemd-nspawn,
 * are replaced in a mount namespace of their own by scripts that pass the library on. What the kernel itself writes
 * (times of modification) stays at today, and so do monotonic clocks.
 */
export class Later implements Disposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'ingot-later-'));
  /** Put in front of a command. */
  readonly prefix: readonly string[];

  constructor(days: number) {
    if (!existsSync(join(FOLDER, LIBRARY)))
      throw new Error(`${FOLDER}/${LIBRARY} is missing: apt install faketime`);
    const variables = (folder: string): string[] => [
      `LD_PRELOAD=${folder}/${LIBRARY}`,
      `FAKETIME=+${days}d`,
      'NO_FAKE_STAT=1',
      'FAKETIME_DONT_FAKE_MONOTONIC=1',
    ];
    // nspawn makes /run afresh: the mount point is no trace in the image.
    const passOn = [
      `--bind-ro=${FOLDER}:/run/faketime`,
      ...variables('/run/faketime').map((v) => `--setenv=${v}`),
    ];
    const nspawn = `exec ${this.#dir}/systemd-nspawn.real ${passOn.join(' ')} "$@"`;
    const setpriv = `export ${variables(FOLDER).join(' ')}\nexec ${this.#dir}/setpriv.real "$@"`;
    const enter = [
      'set -eu',
      ...['setpriv', 'systemd-nspawn'].flatMap((name) => [
        `: >${this.#dir}/${name}.real`,
        `mount --bind /usr/bin/${name} ${this.#dir}/${name}.real`,
        `mount --bind ${this.#dir}/${name} /usr/bin/${name}`,
      ]),
      `exec env ${variables(FOLDER).join(' ')} "$@"`,
    ];
    this.#script('systemd-nspawn', nspawn);
    this.#script('setpriv', setpriv);
    this.#script('enter', enter.join('\n'));
    this.prefix = ['unshare', '--mount', '--propagation', 'private', join(this.#dir, 'enter')];
  }

  #script(name: string, text: string): void {
    const path = join(this.#dir, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true });
  }
}
