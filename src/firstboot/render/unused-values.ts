import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';

/** What became of the values. */
export interface Use {
  /** Names given for this run (`--set`): one that does nothing is a slip. */
  readonly given: readonly string[];
  /** Names that templates took. */
  readonly taken: ReadonlySet<string>;
  /** Texts of files that are no templates, by name. */
  readonly plain: ReadonlyMap<string, string>;
}

/** Become part of meta-data by themselves. */
const OF_META_DATA = ['hostname', 'instance_id'];

/** Values that were given and change nothing; `${name}` in a file that is no template is shown where it stands. */
export function unusedValues({ given, taken, plain }: Use): Diagnostic[] {
  return [...new Set(given)]
    .filter((name) => !taken.has(name))
    .flatMap((name): Diagnostic[] => {
      const written = `\${${name}}`;
      const [file, text] = [...plain].find((entry) => entry[1].includes(written)) ?? [];
      const unused = { code: 'render/unused-value', severity: 'warning' } as const;
      if (file !== undefined && text !== undefined) {
        return [
          {
            ...unused,
            message: `${written} stays as it is: ${file} is no template`,
            range: rangeOf(file, text, written),
            hint: `Name it ${file}.tftpl, and the value of --set ${name} takes its place.`,
          },
        ];
      }
      if (OF_META_DATA.includes(name)) return [];
      return [
        {
          ...unused,
          message: `--set ${name}: no template takes ${written}`,
          hint: 'Check its name. A file is a template when its name ends in .tftpl.',
        },
      ];
    });
}

function rangeOf(file: string, text: string, part: string): SourceRange {
  const offset = text.indexOf(part);
  const before = text.slice(0, offset).split('\n');
  const start = { offset, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  const end = { offset: offset + part.length, line: start.line, column: start.column + part.length };
  return { file, start, end };
}
