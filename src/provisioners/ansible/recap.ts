import type { Json } from '../../core/digest.ts';

type TaskStatus = 'ok' | 'skipped' | 'failed' | 'rescued' | 'ignored' | 'unreachable';

const STATUSES: readonly TaskStatus[] = ['ok', 'skipped', 'failed', 'rescued', 'ignored', 'unreachable'];

/** One task on one host, as it ended. */
export interface TaskEnd {
  readonly play: string;
  readonly task: string;
  readonly host: string;
  /** File and line of the task, `/…/tasks/main.yml:3`. */
  readonly path: string;
  /** Why it failed. */
  readonly message: string;
}

/** What `ingot_report.py` tells. */
export type AnsibleEvent =
  | { readonly event: 'play'; readonly name: string }
  | { readonly event: 'task'; readonly name: string }
  | {
      readonly event: 'result';
      readonly status: TaskStatus;
      readonly changed: boolean;
      readonly end: Omit<TaskEnd, 'play'>;
    }
  /** `loaded`: every file that Ansible read as YAML or JSON. */
  | { readonly event: 'stats'; readonly loaded: readonly string[] };

/** A line of `ingot_report.py`; undefined for what is none. */
export function readEvent(line: string): AnsibleEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const o = value as Readonly<Record<string, unknown>>;
  const text = (key: string): string => (typeof o[key] === 'string' ? o[key] : '');
  switch (o.event) {
    case 'play':
    case 'task':
      return { event: o.event, name: text('name') };
    case 'result': {
      const status = STATUSES.find((one) => one === o.status);
      if (!status) return undefined;
      const end = { task: text('task'), host: text('host'), path: text('path'), message: text('message') };
      return { event: 'result', status, changed: o.changed === true, end };
    }
    case 'stats': {
      const loaded = Array.isArray(o.loaded) ? o.loaded : [];
      return { event: 'stats', loaded: loaded.filter((path) => typeof path === 'string') };
    }
    default:
      return undefined;
  }
}

/** Results of one play, counted as Ansible's own recap does: what was ignored or changed is `ok`, too. */
export interface PlayCounts extends Readonly<Record<TaskStatus | 'changed', number>> {
  readonly play: string;
}

interface Play {
  readonly name: string;
  readonly counts: Record<TaskStatus | 'changed', number>;
}

/** Adds up what a playbook did. */
export class Recap {
  readonly #plays: Play[] = [];
  readonly changed: TaskEnd[] = [];
  /** Failed and unreachable, but for what was ignored or rescued. */
  readonly failures: TaskEnd[] = [];
  loaded: readonly string[] = [];
  /** Tasks begun. */
  tasks = 0;

  take(event: AnsibleEvent): void {
    switch (event.event) {
      case 'play':
        this.#begin(event.name);
        break;
      case 'task':
        this.tasks++;
        break;
      case 'result':
        this.#count(event);
        break;
      case 'stats':
        this.loaded = event.loaded;
        break;
    }
  }

  get plays(): readonly PlayCounts[] {
    return this.#plays.map(({ name, counts }) => ({ play: name, ...counts }));
  }

  /** `ok 7, changed 3, failed 0`, and what else there was. */
  get summary(): string {
    const total = (status: TaskStatus | 'changed'): number =>
      this.#plays.reduce((n, p) => n + p.counts[status], 0);
    const rare = (['unreachable', 'skipped', 'rescued', 'ignored'] as const)
      .filter((status) => total(status) > 0)
      .map((status) => `, ${status} ${total(status)}`);
    return `ok ${total('ok')}, changed ${total('changed')}, failed ${total('failed')}${rare.join('')}`;
  }

  /** For the build report. */
  toJson(): Json {
    return { plays: this.plays.map((play) => ({ ...play })) };
  }

  #count({ status, changed, end }: Extract<AnsibleEvent, { event: 'result' }>): void {
    const { name, counts } = this.#plays.at(-1) ?? this.#begin('');
    const inPlay = { play: name, ...end };
    counts[status]++;
    if (status === 'ignored') counts.ok++;
    if (changed && (status === 'ok' || status === 'ignored')) {
      counts.changed++;
      this.changed.push(inPlay);
    }
    if (status === 'failed' || status === 'unreachable') this.failures.push(inPlay);
  }

  #begin(name: string): Play {
    const counts = { ok: 0, changed: 0, skipped: 0, failed: 0, rescued: 0, ignored: 0, unreachable: 0 };
    const play = { name, counts };
    this.#plays.push(play);
    return play;
  }
}
