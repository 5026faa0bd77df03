/** One entry for bookworm. */
export interface Entry {
  readonly source: string;
  readonly id: string;
  readonly status: 'open' | 'resolved' | 'undetermined';
  readonly fixed?: string;
  readonly urgency?: string;
}

/** A tracker of these entries in the form of security-tracker.debian.org/tracker/data/json. */
export function trackerOf(entries: readonly Entry[], suite = 'bookworm'): string {
  const tracker: Record<string, Record<string, unknown>> = {
    'zzz-other': { 'CVE-2001-0001': { releases: {} } },
  };
  for (const { source, id, status, fixed, urgency = 'not yet assigned' } of entries) {
    tracker[source] = {
      ...tracker[source],
      [id]: {
        description: `What "${id}" does \\ in ${source}`,
        scope: 'local',
        releases: {
          [suite]: {
            status,
            repositories: { [suite]: '1.0-1' },
            urgency,
            ...(fixed !== undefined && { fixed_version: fixed }),
          },
        },
      },
    };
  }
  return JSON.stringify(tracker);
}
