/** The [Install] section of a unit file (systemd.unit(5)). */
export interface InstallSection {
  readonly wantedBy: readonly string[];
  readonly requiredBy: readonly string[];
  readonly upheldBy: readonly string[];
  readonly alias: readonly string[];
  readonly also: readonly string[];
  readonly defaultInstance?: string;
}

type Assignment = readonly [key: string, value: string];

/** Assignments of a unit file's [Install] section, in order. */
export function readInstall(text: string): Assignment[] {
  const found: Assignment[] = [];
  let section = '';
  for (const line of logicalLines(text)) {
    if (/^\[.*\]$/.test(line)) section = line.slice(1, -1);
    const at = line.indexOf('=');
    if (section === 'Install' && at > 0) found.push([line.slice(0, at).trimEnd(), line.slice(at + 1).trim()]);
  }
  return found;
}

/** What a unit's file and then its drop-ins say together. An empty value forgets the ones before, but for Also=. */
export function mergeInstall(parts: readonly (readonly Assignment[])[]): InstallSection {
  const lists: Record<string, string[]> = { WantedBy: [], RequiredBy: [], UpheldBy: [], Alias: [], Also: [] };
  let defaultInstance: string | undefined;
  for (const [key, value] of parts.flat()) {
    if (key === 'DefaultInstance') defaultInstance = value === '' ? undefined : value;
    if (!Object.hasOwn(lists, key)) continue;
    if (value === '' && key !== 'Also') lists[key] = [];
    else lists[key]?.push(...value.split(/\s+/).filter((word) => word !== ''));
  }
  return {
    wantedBy: lists.WantedBy ?? [],
    requiredBy: lists.RequiredBy ?? [],
    upheldBy: lists.UpheldBy ?? [],
    alias: lists.Alias ?? [],
    also: lists.Also ?? [],
    ...(defaultInstance !== undefined && { defaultInstance }),
  };
}

/** Lines joined over a backslash at their end; comments go, also in the middle of a joined line. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open = '';
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (/^[#;]/.test(line)) continue;
    if (line.endsWith('\\')) {
      open += `${line.slice(0, -1)} `;
      continue;
    }
    if (open + line !== '') lines.push(open + line);
    open = '';
  }
  return open === '' ? lines : [...lines, open];
}
