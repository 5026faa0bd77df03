import type { Command } from 'commander';
import { formatBytes, shortDigest } from '../../reporters/quantities.ts';
import type { Cli } from '../cli.ts';
import { parseAge, parseSize } from '../flag-values.ts';
import { table } from '../table.ts';
import { addExamples } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  command
    .command('ls')
    .description('list the layers, the last used first')
    .option('--json', 'print as JSON')
    .action(async (flags: { json?: boolean }) => {
      const { listCache } = await import('../../app/cache.ts');
      const layers = await cli.report({ json: flags.json }, (deps) => listCache(deps));
      const sorted = layers.toSorted((a, b) => b.lastUsed.getTime() - a.lastUsed.getTime());
      if (flags.json) return cli.printJson(sorted);
      if (sorted.length === 0) return cli.print('the cache is empty');
      const rows = sorted.map(({ id, kind, bytes, lastUsed }) => [
        kind === 'buildah' ? id : shortDigest(id),
        kind,
        formatBytes(bytes),
        lastUsed.toISOString().slice(0, 16).replace('T', ' '),
      ]);
      cli.print(table(['LAYER', 'KIND', 'SIZE', 'LAST USED (UTC)'], rows));
      const total = sorted.reduce((sum, layer) => sum + layer.bytes, 0);
      cli.print(`${sorted.length} layers, ${formatBytes(total)}`);
    });
  command
    .command('prune')
    .description('delete layers; what a running build uses stays')
    .option('--older-than <age>', 'those not used for this long: 36h, 30d, 2w', parseAge)
    .option('--max-size <size>', 'then the longest unused, until this much is left: 20G', parseSize)
    .option('--json', 'print what was deleted as JSON')
    .action(async (flags: { olderThan?: number; maxSize?: number; json?: boolean }, prune: Command) => {
      if (flags.olderThan === undefined && flags.maxSize === undefined) {
        prune.error('error: say what to delete, with --older-than or --max-size');
      }
      const { pruneCache } = await import('../../app/cache.ts');
      const report = await cli.report({ json: flags.json }, (deps) =>
        pruneCache(
          {
            ...(flags.olderThan !== undefined && { maxAgeMs: flags.olderThan }),
            ...(flags.maxSize !== undefined && { maxBytes: flags.maxSize }),
          },
          deps,
        ),
      );
      if (flags.json) return cli.printJson(report);
      const freed = report.removed.reduce((sum, layer) => sum + layer.bytes, 0);
      cli.print(
        `${report.removed.length} layers deleted, ${formatBytes(freed)} freed, ${formatBytes(report.keptBytes)} kept`,
      );
    });
  command
    .command('rm <layer...>')
    .description(
      'delete layers, named by the beginning of their digests, and what stands on them; or buildah',
    )
    .option('--json', 'print what was deleted as JSON')
    .action(async (names: string[], flags: { json?: boolean }) => {
      const { removeLayers } = await import('../../app/cache.ts');
      const removed = await cli.report({ json: flags.json }, (deps) => removeLayers(names, deps));
      if (flags.json) return cli.printJson(removed);
      const freed = removed.reduce((sum, layer) => sum + layer.bytes, 0);
      cli.print(`${removed.length} layers deleted, ${formatBytes(freed)} freed`);
    });
  addExamples(
    command,
    ['ingot cache ls', 'what is there, and when it was used'],
    ['ingot cache rm 3306d64af890', 'one layer, and all that was made on it'],
    ['ingot cache prune --older-than 30d --max-size 20G', 'for a weekly timer'],
  );
}
