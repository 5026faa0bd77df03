import type { BuildEvent } from '../core/event.ts';
import { formatBytes } from './quantities.ts';

/** Why a build does not begin yet, how much there is, and the flag that says so. */
export function waitText(event: Extract<BuildEvent, { type: 'build:wait' }>): string {
  const { needs, taken, of } = event;
  switch (event.for) {
    case 'builds':
      return `waits: ${taken} builds run at once (-parallel-builds)`;
    case 'memory': {
      const have = `${formatBytes(taken)} of ${formatBytes(of)}`;
      return `waits for ${formatBytes(needs)} of memory: others have ${have} (--max-memory)`;
    }
    case 'cpus':
      return `waits for ${needs} ${needs === 1 ? 'CPU' : 'CPUs'}: others have ${taken} of ${of} (--max-cpus)`;
  }
}
