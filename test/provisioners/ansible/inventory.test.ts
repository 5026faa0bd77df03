import { expect, test } from 'vitest';
import { galaxyRuns } from '../../../src/provisioners/ansible/galaxy.ts';
import { type InventoryOptions, inventoryText } from '../../../src/provisioners/ansible/inventory.ts';

const options: InventoryOptions = {
  hostAlias: 'default',
  groups: [],
  emptyGroups: [],
  template: undefined,
  directory: undefined,
  values: { Host: 'localhost', User: 'root', Port: '22' },
};
const line = 'default ansible_host=localhost ansible_user=root ansible_connection=ingot\n';

test.each<[string, Partial<InventoryOptions>, string]>([
  ['the machine alone', {}, line],
  [
    'groups with the machine in them, and without',
    { groups: ['web', 'db'], emptyGroups: ['none'] },
    `${line}[web]\n${line}[db]\n${line}[none]\n`,
  ],
  [
    'a line of the user, with or without its end',
    {
      template: '{{.HostAlias}} ansible_host={{ .Host }} ansible_port={{ .Port }}',
      groups: ['g'],
      hostAlias: 'x',
    },
    'x ansible_host=localhost ansible_port=22\n[g]\nx ansible_host=localhost ansible_port=22\n',
  ],
])('inventory: %s', (_what, some, expected) => {
  expect(inventoryText({ ...options, ...some })).toBe(expected);
});

test('inventory: a name that nobody knows is an error', () => {
  expect(() => inventoryText({ ...options, template: '{{ .Nope }}' })).toThrow(
    'inventory_file_template: there is no field "Nope"',
  );
});

const how = { force: false, forceWithDeps: false, rolesPath: undefined, collectionsPath: undefined };

test.each<[string, string, Partial<typeof how> | object, string[]]>([
  ['a list is of roles', '- src: a\n', {}, ['role install -r r.yml']],
  ['roles', 'roles:\n- a\n', { force: true }, ['role install -r r.yml --force']],
  [
    'collections alone',
    'collections:\n- a\n',
    { collectionsPath: 'c', rolesPath: 'r' },
    ['collection install -r r.yml -p c'],
  ],
  [
    'both',
    'collections: []\nroles: []\n',
    { forceWithDeps: true, rolesPath: 'r' },
    ['role install -r r.yml --force-with-deps -p r', 'collection install -r r.yml --force-with-deps'],
  ],
])('galaxy: %s', (_what, text, some, expected) => {
  expect(galaxyRuns(text, 'r.yml', { ...how, ...some }).map((args) => args.join(' '))).toEqual(expected);
});
