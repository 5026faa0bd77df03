import type { Diagnostic } from '../core/diagnostic.ts';
import { compileGlob, type Glob, GlobError } from './glob.ts';

/** A build as the flags name it. */
export interface Selector {
  /** `type.name`, with the build's name in front where it has one. */
  readonly fullName: string;
  /** Of a legacy template: the builder's name, which selects it, too. */
  readonly legacyName?: string;
}

/** What `-only` and `-except` say. */
export interface Selection {
  selects(build: Selector): boolean;
  /** Whether `-except` names this post-processor. */
  excludes(name: string): boolean;
}

/**
 * Reads `-only` and `-except`: patterns over full names, as Packer has them. One that can't be read is reported, and
 * left out.
 */
export function readSelection(
  only: readonly string[],
  except: readonly string[],
  diagnostics: Diagnostic[],
): Selection {
  const wanted = matcher('-only', only, diagnostics);
  const unwanted = matcher('-except', except, diagnostics);
  const matches = (match: Glob, { fullName, legacyName }: Selector): boolean =>
    match(fullName) || (legacyName !== undefined && match(legacyName));
  return {
    selects: (build) => (only.length === 0 || matches(wanted, build)) && !matches(unwanted, build),
    excludes: unwanted,
  };
}

/** Whether a text is one of these, or matches one as a pattern. */
function matcher(flag: string, patterns: readonly string[], diagnostics: Diagnostic[]): Glob {
  const globs = patterns.flatMap((pattern) => {
    try {
      return [compileGlob(pattern)];
    } catch (error) {
      if (!(error instanceof GlobError)) throw error;
      diagnostics.push({
        code: 'plan/wrong-pattern',
        severity: 'error',
        message: `${flag} has the pattern ${JSON.stringify(pattern)}, in which ${error.message}`,
        hint: 'Write \\ before a character that is meant as it is.',
      });
      return [];
    }
  });
  return (text) => patterns.includes(text) || globs.some((matches) => matches(text));
}
