import { homedir } from 'node:os';
import { join } from 'node:path';

/** Folder of the user's own releases: below `INGOT_DATA_DIR`, or where XDG has data (base directory specification 0.8). */
export function userReleases(env: NodeJS.ProcessEnv): string {
  const home = env.HOME || homedir();
  return join(
    env.INGOT_DATA_DIR || join(env.XDG_DATA_HOME || join(home, '.local', 'share'), 'ingot'),
    'releases',
  );
}
