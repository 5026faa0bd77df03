import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../../core/body-spec.ts';
import { URGENCIES } from './advisory.ts';

/** Debian's own: the only database of its suites that needs no account. */
export const DEFAULT_DATABASE = 'https://security-tracker.debian.org/tracker/data/json';
const HOUR = 3_600_000;

/** The body of `test "vulnerabilities" { … }` in an image file. */
export const vulnerabilitySpec = bodySpec(
  {
    databases: attr.strings(
      "Files, folders or addresses: the Debian security tracker's JSON, OSV's export as a ZIP archive or folder.",
      { default: [DEFAULT_DATABASE] },
    ),
    max_age: attr.duration('An older database fails the test; default 168h, a week.', {
      default: 168 * HOUR,
    }),
    refresh: attr.duration('How long a downloaded copy is used before it is fetched again; default 12h.', {
      default: 12 * HOUR,
    }),
    fail_on_fixable: attr.bool('Fail where a fix is available in the suite and not installed.', {
      default: true,
    }),
    fail_on: attr.string('Fail at this urgency and above, whether or not there is a fix.', {
      oneOf: URGENCIES,
    }),
    fail_on_unknown: attr.bool('Fail where nobody has said how urgent it is: most entries of Debian.', {
      default: false,
    }),
    fail_on_uncovered: attr.bool(
      "Fail where no database speaks of a language's packages. Of the distribution's own it always fails.",
      { default: false },
    ),
    ignore: attr.string('YAML file of accepted vulnerabilities, each with a reason and an end.'),
    vex: attr.strings('OpenVEX documents; what they call not affected or fixed does not count.', {
      default: [],
    }),
    vex_output: attr.string('File to write everything that was found to, as an OpenVEX document.'),
    scanner: attr.string('Who looks: Ingot itself, or an installed scanner, with its own database.', {
      default: 'builtin',
      oneOf: ['builtin', 'trivy', 'grype'],
    }),
  },
  {},
  (o) => {
    const problems: OptionProblem[] = [];
    if (o.databases.length === 0 && o.scanner === 'builtin')
      problems.push({ path: ['databases'], message: 'databases is empty; without one nothing can be found' });
    if (o.max_age <= 0) problems.push({ path: ['max_age'], message: 'max_age must be longer than 0' });
    if (!o.fail_on_fixable && o.fail_on === undefined && !o.fail_on_unknown) {
      problems.push({
        path: ['fail_on_fixable'],
        message: 'nothing that is found can fail this test',
        hint: 'Set fail_on, or leave fail_on_fixable on.',
        severity: 'warning',
      });
    }
    return problems;
  },
);

export type VulnerabilityOptions = OptionsOf<typeof vulnerabilitySpec>;
