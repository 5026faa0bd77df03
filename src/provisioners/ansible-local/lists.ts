import type { AnsibleLocalOptions } from '../ansible-local.ts';

/** The playbooks, in order. */
export function playbooksOf(
  o: Pick<AnsibleLocalOptions, 'playbook_file' | 'playbook_files'>,
): readonly string[] {
  return o.playbook_files ?? (o.playbook_file === undefined ? [] : [o.playbook_file]);
}

/** Packer takes names with commas in between, too. */
export function groupsOf(groups: readonly string[]): string[] {
  return groups.flatMap((group) => group.split(',')).filter((group) => group !== '');
}
