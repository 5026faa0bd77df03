import { extname } from 'node:path';
import { type Command, Option } from 'commander';
import type { EvidenceReport } from '../../app/report.ts';
import type { Cli } from '../cli.ts';
import { writeWholeReport } from '../report-file.ts';
import { addExamples } from '../template-options.ts';

const FORMATS = ['html', 'json', 'junit'] as const;
type Format = (typeof FORMATS)[number];

interface Flags {
  output?: string;
  format?: Format;
  store?: string;
}

export function configure(command: Command, cli: Cli): void {
  command
    .argument('[what]', 'a release (name@version), a folder with outputs, or a file of evidence', '.')
    .option('-o, --output <file>', 'where to write; default: standard output')
    .addOption(
      new Option(
        '--format <format>',
        "default: by the output's name (.html, .json, .xml), else html",
      ).choices([...FORMATS]),
    )
    .option('--store <store>', 'where to look for releases: oci-layout:/path; default: your own')
    .action(async (what: string, flags: Flags) => {
      const { readEvidence } = await import('../../app/report.ts');
      const { store } = flags;
      const format = flags.format ?? formatOf(flags.output);
      const json = format === 'json' && flags.output === undefined;
      const reports = await cli.report({ json }, (deps) =>
        readEvidence({ what, ...(store !== undefined && { store }) }, deps),
      );
      const text = await render(reports, format);
      if (flags.output === undefined) cli.print(text);
      else writeWholeReport(flags.output, text);
    });
  addExamples(
    command,
    ['ingot report web@1.2.0 -o web.html', 'one page: verdict, proofs, packages, outputs'],
    ['ingot report output-web --format junit', 'every check of a build, for CI'],
    ['ingot report web@dev --format json | jq .verdict', 'the evidence itself'],
  );
}

function formatOf(path: string | undefined): Format {
  const extension = path === undefined ? '' : extname(path).toLowerCase();
  return extension === '.json' ? 'json' : extension === '.xml' ? 'junit' : 'html';
}

async function render(reports: readonly EvidenceReport[], format: Format): Promise<string> {
  const bundles = reports.map(({ bundle }) => bundle);
  switch (format) {
    case 'json':
      return `${JSON.stringify(bundles.length === 1 ? bundles[0] : bundles, undefined, 2)}\n`;
    case 'junit':
      return (await import('../../reporters/junit.ts')).junitOfEvidence(bundles);
    case 'html':
      return (await import('../../reporters/html/page.ts')).evidencePage(reports);
  }
}
