import { walkImage } from '../../host/walk-image.ts';

const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/** Searches of find(1) that the files of an image answer, as hardening files write them. */
const SEARCHES: ReadonlyMap<string, keyof Found> = new Map([
  ['find / -xdev -type f -perm -0002', 'writable'],
  ['find / -xdev -type d -perm -0002 ! -perm -1000', 'open'],
  ['find / -xdev ( -nouser -o -nogroup )', 'unowned'],
]);

interface Found {
  readonly writable: string[];
  readonly open: string[];
  readonly unowned: string[];
}

/** Answers these searches from the files of an image, all of them by one walk. */
export class DiskFind {
  readonly #dir: string;
  readonly #users: ReadonlySet<number>;
  readonly #groups: ReadonlySet<number>;
  #found: Found | undefined;

  /** `users`, `groups`: the ids that the image knows. */
  constructor(dir: string, users: ReadonlySet<number>, groups: ReadonlySet<number>) {
    this.#dir = dir;
    this.#users = users;
    this.#groups = groups;
  }

  /** What the command prints; undefined: it is none of the searches. */
  answer(command: string): string | undefined {
    const search = SEARCHES.get(command.replaceAll('\\', ''));
    if (search === undefined) return undefined;
    this.#found ??= this.#walk();
    return this.#found[search].map((path) => `${path}\n`).join('');
  }

  #walk(): Found {
    const found: Found = { writable: [], open: [], unowned: [] };
    for (const { path, stat } of walkImage(this.#dir)) {
      if (!this.#users.has(stat.uid) || !this.#groups.has(stat.gid)) found.unowned.push(path);
      if ((stat.mode & OTHERS_WRITE) === 0) continue;
      if (stat.isFile()) found.writable.push(path);
      else if (stat.isDirectory() && (stat.mode & STICKY) === 0) found.open.push(path);
    }
    return found;
  }
}
