import { attr, blocks, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { isDay } from '../core/last-day.ts';
import { nearest } from '../template/index.ts';
import { parsePackageRule } from './packages.ts';
import { parsePrivilegeRule } from './privilege-rules.ts';
import { RuleError } from './rule-error.ts';

/** Bump when the same image is judged in another way. */
export const POLICY_VERSION = 1;

/** Hardening files that come with Ingot, in policies/hardening. */
export const HARDENING_SETS = ['debian-level1', 'debian-level2', 'pci-dss'];
/** Lists of privileged files that come with Ingot, in policies/privileged. */
export const PRIVILEGE_LISTS = ['debian'];
/** Stands for every seal operation. */
export const EVERY_OPERATION = 'all';

const HOUR = 3_600_000;
/** An age beyond it is no limit. */
const LONGEST_AGE = 10 * 365 * 24 * HOUR;

/** Names that a policy may use. */
export interface PolicyWords {
  readonly proofs: readonly string[];
  readonly sealOperations: readonly string[];
}

/** The body of `policy { … }` in an image file. */
export function policySpec(words: PolicyWords) {
  const operations = [EVERY_OPERATION, ...words.sealOperations];
  return bodySpec(
    {
      require: attr.strings('Proofs that a release needs, by the names of tests and bills of materials.', {
        default: [],
      }),
      seal: attr.strings('Seal operations that must not be left out; "all": every one.', { default: [] }),
      max_base_age: attr.duration('Most age of what the image starts from, by the newest date in the lock.'),
      max_vulnerability_data_age: attr.duration(
        'Most age of the data that the test "vulnerabilities" looks into.',
      ),
      forbid_packages: attr.strings(
        'Packages that must not be installed: names or patterns such as "telnet*", or "openssl (<< 3.0.15)".',
        { default: [] },
      ),
      allow_privileged: attr.strings(
        'Files that may be setuid or setgid or have capabilities, by path or pattern; "debian": those of Debian.',
      ),
      hardening: attr.strings(
        'Hardening checks: "debian-level1", "debian-level2", "pci-dss", or goss files of your own.',
        { default: [] },
      ),
    },
    {
      except: blocks(
        bodySpec(
          {
            id: attr.string('What is let pass: the id that the failed check has.', { required: true }),
            reason: attr.string('Why, for those who read the evidence.', { required: true }),
            expires: attr.string('The last day on which it holds, such as "2027-01-31".', { required: true }),
          },
          {},
        ),
        { doc: 'A finding that is accepted for a while.' },
      ),
    },
    (o) => [
      ...unknownNames('require', o.require, words.proofs, 'proof'),
      ...unknownNames('seal', o.seal, operations, 'seal operation'),
      ...unknownNames(
        'hardening',
        o.hardening.map((name) => (isGossFile(name) ? (HARDENING_SETS[0] as string) : name)),
        HARDENING_SETS,
        'set of hardening checks',
      ),
      ...(['max_base_age', 'max_vulnerability_data_age'] as const).flatMap((name) => badAge(name, o[name])),
      ...o.forbid_packages.flatMap((text, i) => badRule('forbid_packages', i, () => parsePackageRule(text))),
      ...(o.allow_privileged ?? []).flatMap((text, i) =>
        PRIVILEGE_LISTS.includes(text)
          ? []
          : badRule('allow_privileged', i, () => parsePrivilegeRule(text, PRIVILEGE_LISTS)),
      ),
      ...o.except.flatMap((exception, i) => badException(exception, i)),
    ],
  );
}

export type PolicyOptions = OptionsOf<ReturnType<typeof policySpec>>;

/** Whether an entry of `hardening` is a file of the user's, not a set that comes with Ingot. */
export function isGossFile(name: string): boolean {
  return name.includes('/') || /\.ya?ml$/.test(name);
}

function unknownNames(
  attribute: string,
  given: readonly string[],
  known: readonly string[],
  what: string,
): OptionProblem[] {
  return given.flatMap((name, i): OptionProblem[] => {
    const path = [attribute, i];
    if (!known.includes(name)) {
      const near = nearest(name, known);
      const message = `there is no ${what} "${name}"; expected one of ${known.join(', ')}`;
      return [{ path, message, ...(near !== undefined && { hint: `Did you mean "${near}"?` }) }];
    }
    return [];
  });
}

function badAge(name: string, age: number | undefined): OptionProblem[] {
  if (age === undefined || (age >= HOUR && age <= LONGEST_AGE)) return [];
  const message = `${name} must be from 1h to 87600h, ten years; got ${age / HOUR}h`;
  return [{ path: [name], message, hint: '30 days are "720h".' }];
}

function badRule(name: string, index: number, parse: () => unknown): OptionProblem[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return [{ path: [name, index], message: error.message, hint: error.hint }];
  }
}

function badException(
  { reason, expires }: { readonly reason: string; readonly expires: string },
  index: number,
): OptionProblem[] {
  const problems: OptionProblem[] = [];
  if (reason.trim() === '')
    problems.push({ path: ['except', index, 'reason'], message: 'the reason of an exception is empty' });
  if (!isDay(expires)) {
    const message = `expires is ${JSON.stringify(expires)}; expected a day such as "2027-01-31"`;
    problems.push({ path: ['except', index, 'expires'], message });
  }
  return problems;
}
