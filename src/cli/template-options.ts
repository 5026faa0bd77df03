import { statSync } from 'node:fs';
import { dirname, normalize } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { Cli } from './cli.ts';

/** What the user's flags say about the template; the shape of `TemplateOptions` in app/load.ts. */
export interface TemplateArguments {
  readonly path: string;
  /** Text of the template `-`. */
  readonly stdin: () => Promise<string>;
  readonly vars: readonly string[];
  readonly varFiles: readonly string[];
  readonly only: readonly string[];
  readonly except: readonly string[];
  readonly imageFile?: string;
}

interface Flags {
  var: string[];
  varFile: string[];
  only: string[];
  except: string[];
  imageFile?: string;
}

const append = (value: string, before: string[]): string[] => [...before, value];
const appendList = (value: string, before: string[]): string[] => [...before, ...splitPatterns(value)];

/** Patterns between commas; those between braces belong to their pattern. */
export function splitPatterns(list: string): string[] {
  const patterns = [''];
  let open = 0;
  for (const [char] of list.matchAll(/\\?./gsu)) {
    if (char === '{') open++;
    else if (char === '}') open = Math.max(0, open - 1);
    if (char === ',' && open === 0) patterns.push('');
    else patterns[patterns.length - 1] += char;
  }
  return patterns;
}

/** Adds the argument and the flags of every verb that reads a template. */
export function addTemplateOptions(command: Command): Command {
  return addVariableOptions(command)
    .argument(
      '[template]',
      'template file, folder of *.pkr.hcl files, or - for legacy JSON on standard input',
      '.',
    )
    .option(
      '--only <builds>',
      'only these builds: comma-separated patterns, such as null.* or null.{web,db}',
      appendList,
      [],
    )
    .option('--except <builds>', 'not these builds or post-processors', appendList, [])
    .option('--image-file <file>', 'image file to use instead of the *.ingot.hcl beside the template');
}

/** Adds the flags that set variables. */
export function addVariableOptions(command: Command): Command {
  return command
    .option('--var <name=value>', 'set a variable (may be repeated)', append, [])
    .option('--var-file <file>', 'read variables from a file (may be repeated)', append, []);
}

/** Reads back what `addVariableOptions` declared. */
export function variableArguments(command: Command): Pick<TemplateArguments, 'vars' | 'varFiles'> {
  const { var: vars, varFile } = command.opts<Flags>();
  return { vars, varFiles: varFile };
}

/** Reads back what `addTemplateOptions` declared. */
export function templateArguments(path: string, command: Command, cli: Cli): TemplateArguments {
  const flags = command.opts<Flags>();
  cli.templateFolder = folderOf(path);
  return {
    path,
    stdin: () => text(cli.io.stdin),
    vars: flags.var,
    varFiles: flags.varFile,
    only: flags.only,
    except: flags.except,
    ...(flags.imageFile !== undefined && { imageFile: flags.imageFile }),
  };
}

/** Folder of a template that is a file or a folder; none for standard input, and for one that is where we are. */
function folderOf(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const folder = normalize(isFolder ? path : dirname(path));
  return path === '-' || folder === '.' || folder === './' ? '' : folder;
}

/** Adds examples below a verb's flags. */
export function addExamples(command: Command, ...examples: readonly (readonly [string, string])[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}\n`);
}
