import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { addExamples } from '../template-options.ts';

interface Flags {
  output?: string;
  store?: string;
  json?: boolean;
}

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<release>', 'name@version, name@channel, name@digest, or name for its newest')
    .option('--output <format>', 'only this output: qcow2, raw, …')
    .option('--store <store>', 'where to look: oci-layout:/path; default: your own')
    .option('--json', 'print as JSON')
    .action(async (reference: string, flags: Flags) => {
      const { lookup } = await import('../../app/lookup.ts');
      const found = await cli.report({ json: flags.json }, (deps) =>
        lookup(
          {
            reference,
            ...(flags.output !== undefined && { output: flags.output }),
            ...(flags.store !== undefined && { store: flags.store }),
          },
          deps,
        ),
      );
      if (flags.json) return cli.printJson(found);
      for (const { digest, path, file } of found.outputs) cli.print(`${digest}  ${path ?? file}`);
    });
  addExamples(
    command,
    ['ingot lookup web@1.2.0', 'digest and path of each output'],
    ['ingot lookup web@dev --output qcow2', 'what the channel dev points to'],
    ['ingot lookup web@1.2.0 --json | jq -r .digest', "the release's own digest"],
  );
}
