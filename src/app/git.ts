import type { Host } from '../core/host.ts';
import type { GitFacts } from '../plan/stamp.ts';
import { gitVersion } from '../stamp/git-version.ts';

/** Version and commit of the checkout that the template lies in; says so where there is none. */
export async function readGit(host: Host, dir: string): Promise<GitFacts> {
  // safe.directory: a checkout of another owner is only read here, and no hook of it runs.
  const git = (args: string[]) =>
    host.run('git', ['-c', 'safe.directory=*', '-c', 'core.fsmonitor=false', '-C', dir, ...args], {
      okCodes: 'any',
      // Whoever only reads, as validate and plan do, may have no folder of their own.
      isAlone: true,
    });
  const head = await git(['rev-parse', '--verify', '--quiet', 'HEAD']);
  if (head.exitCode !== 0) return { version: gitVersion({}).version, dirty: false };
  const commit = head.stdout.trim();
  const [describe, status] = await Promise.all([
    git(['describe', '--tags', '--long', '--match', 'release-*']),
    git(['status', '--porcelain', '--untracked-files=normal', '--', '.']),
  ]);
  const dirty = status.stdout.trim() !== '';
  const found = gitVersion({
    commit,
    dirty,
    ...(describe.exitCode === 0 && { describe: describe.stdout.trim() }),
  });
  return { version: found.version, commit, dirty };
}
