import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { addExamples } from '../template-options.ts';

interface Flags {
  json?: boolean;
  html?: string;
  store?: string;
}

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<before>', 'a release (name@version), a raw or qcow2 disk, or the folder of a root filesystem')
    .argument('<after>', 'another one')
    .option('--json', 'print as JSON')
    .option('--html <file>', 'also write one HTML page that needs nothing else')
    .option('--store <store>', 'where to look for releases: oci-layout:/path; default: your own')
    .action(async (before: string, after: string, flags: Flags) => {
      const { diffImages, diffPage, renderDiff } = await import('../../app/diff.ts');
      const { store } = flags;
      const diff = await cli.report({ json: flags.json }, (deps) =>
        diffImages({ before, after, ...(store !== undefined && { store }) }, deps),
      );
      if (flags.html !== undefined) await writeFile(flags.html, diffPage(diff));
      if (flags.json) cli.printJson(diff);
      else cli.print(renderDiff(diff));
    });
  addExamples(
    command,
    ['ingot diff web@1.0.0 web@1.1.0', 'packages, units, users, files, … of two releases'],
    ['ingot diff old.qcow2 new.raw --html diff.html', 'of two disks, as a page for the change request'],
  );
}
