export interface GalaxyOptions {
  readonly force: boolean;
  readonly forceWithDeps: boolean;
  readonly rolesPath: string | undefined;
  readonly collectionsPath: string | undefined;
}

/**
 * Arguments of the runs of `ansible-galaxy` that a requirements file asks for, as Packer tells: of roles (a list, or
 * under `roles`), of collections (under `collections`). `text`: the file; `path`: where the command finds it.
 */
export function galaxyRuns(text: string, path: string, options: GalaxyOptions): string[][] {
  const hasRoles = /^roles:/m.test(text);
  const hasCollections = /^collections:/m.test(text);
  const how = [
    ...(options.force ? ['--force'] : []),
    ...(options.forceWithDeps ? ['--force-with-deps'] : []),
  ];
  const into = (folder: string | undefined): string[] => (folder === undefined ? [] : ['-p', folder]);
  const runs: string[][] = [];
  if (hasRoles || !hasCollections)
    runs.push(['role', 'install', '-r', path, ...how, ...into(options.rolesPath)]);
  if (hasCollections)
    runs.push(['collection', 'install', '-r', path, ...how, ...into(options.collectionsPath)]);
  return runs;
}
