import type { OptionProblem } from '../../core/body-spec.ts';

/** Names that Ansible's INI inventory cannot hold. */
export function badNames(key: string, names: readonly string[]): OptionProblem[] {
  return names
    .filter((name) => !/^[^\s[\]:=#"']+$/.test(name))
    .map((name) => ({
      path: [key],
      message: `${JSON.stringify(name)} is no name for an inventory; expected one without blanks, quotes and []:=#`,
    }));
}

/** Warns of keys that steer Packer's SSH proxy, which is not there. */
export function noPassThrough<O extends object>(
  options: O,
  keys: readonly (keyof O & string)[],
): OptionProblem[] {
  return keys
    .filter((key) => options[key] !== undefined)
    .map((key) => ({
      path: [key],
      severity: 'warning',
      message: `${key} has no effect: Ansible reaches the machine through Ingot, without an SSH proxy`,
    }));
}
