import { spawnSync } from 'node:child_process';

/** The real goss, where it is installed: `go install github.com/goss-org/goss/cmd/goss@v0.4.9`. */
export const GOSS = process.env['INGOT_GOSS'] ?? 'goss';
export const present = spawnSync(GOSS, ['help'], { stdio: 'ignore' }).error === undefined;

export function goss(path: string, format: string): { readonly text: string; readonly code: number } {
  const { stdout, status } = spawnSync(
    GOSS,
    ['-g', path, 'validate', '-f', format, '-o', 'sort', '-o', 'pretty', '--no-color'],
    { encoding: 'utf8', timeout: 20_000 },
  );
  return { text: stdout, code: status ?? -1 };
}
