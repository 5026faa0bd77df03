import { attr, bodySpec, type OptionsOf } from '../../core/body-spec.ts';

/** Bump when the same files are judged in another way. */
export const PATTERNS_VERSION = 2;

/** The body of `test "secrets" { … }` in an image file. */
export const patternsSpec = bodySpec({
  rules: attr.string(
    'File of rules in the format of gitleaks, relative to the template; `[extend] useDefault = true` in it adds ours. Default: ours.',
  ),
  allow: attr.stringMap(
    'Paths of the image in which secrets may be found, such as `/etc/ssl/private/ssl-cert-snakeoil.key`, each with the reason.',
    {
      default: {},
    },
  ),
});

export type PatternOptions = OptionsOf<typeof patternsSpec>;

/** What the test reads on the host. */
export const patternFiles = ({ rules }: PatternOptions): readonly string[] =>
  rules === undefined ? [] : [rules];
