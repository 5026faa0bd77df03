import type { Rootfs } from '../../core/rootfs.ts';
import { ImageSystem } from '../goss/systems/image-system.ts';
import { readGroups, readUsers, textIfThere } from '../goss/systems/accounts.ts';
import { optionText, subjectOf, type GossResource } from '../goss/resource.ts';
import { ElsewhereError, FactError, type System } from '../goss/system.ts';
import { type GoValue, Reader } from '../goss/values.ts';
import { DiskFind } from './disk-find.ts';
import { effectiveSshd } from './sshd-config.ts';

/**
 * An unbooted image that answers some commands besides: `sshd -T`, `cat` of files and patterns, and three searches of
 * find(1), of which its files tell what they would print. A hardening file is so the same for goss on a machine.
 */
export class HardenedImage implements System {
  readonly #root: Rootfs;
  readonly #image: ImageSystem;
  readonly #find: DiskFind;

  constructor(root: Rootfs) {
    this.#root = root;
    this.#image = new ImageSystem(root);
    this.#find = new DiskFind(
      root.dir,
      new Set(readUsers(textIfThere(root, '/etc/passwd')).map(({ uid }) => uid)),
      new Set(readGroups(textIfThere(root, '/etc/group')).map(({ gid }) => gid)),
    );
  }

  async fact(resource: GossResource, attribute: string): Promise<GoValue> {
    if (resource.type === 'command') return this.#command(subjectOf(resource), attribute);
    if (this.#image.decides(resource, attribute)) return await this.#image.fact(resource, attribute);
    if (resource.type === 'kernel-param')
      throw new FactError(`no file of sysctl.d sets ${optionText(resource, 'name') ?? resource.key}`);
    throw new ElsewhereError('the disk alone does not tell');
  }

  #command(command: string, attribute: string): GoValue {
    const output = this.output(command);
    if (output === undefined) throw new ElsewhereError(`the disk alone does not tell what ${command} says`);
    if (attribute === 'exit-status') return 0n;
    return Reader.of(attribute === 'stdout' ? output : '', '*bytes.Reader');
  }

  /** What a command would print; undefined where the disk alone does not tell. */
  output(command: string): string | undefined {
    if (command === 'sshd -T') return effectiveSshd(this.#root);
    const [program, ...patterns] = command.split(' ');
    if (program !== 'cat' || patterns.some((p) => !p.startsWith('/') || /[^\w./*?@+-]/.test(p)))
      return this.#find.answer(command);
    const paths = [...new Set(patterns.flatMap((pattern) => this.#root.glob(pattern)))];
    return paths.map((path) => textIfThere(this.#root, path).replace(/\n?$/, '\n')).join('');
  }
}
