import { IngotError } from '../../core/error.ts';
import { isMap } from '../document.ts';
import { goYaml } from '../go-yaml.ts';
import type { Provider, Request, Surroundings } from '../provider.ts';
import { answerObject, apiRefusal, jsonOf, notConfigured, notFound } from '../refusal.ts';
import { below, serviceUrl } from '../service-url.ts';

/** What 1Password's ids look like; everything else is a title. */
const ID = /^[a-z0-9]{26}$/;

/**
 * `ref+onepasswordconnect://vault/item#/[section.]field`, each by id or by name; OP_CONNECT_HOST and OP_CONNECT_TOKEN say
 * where and with what (1Password Connect server API, v1).
 */
export const onepasswordconnect: Provider = {
  async text(request, around) {
    // As vals writes it, whatever reads it.
    return goYaml(await fieldsOf(request, around));
  },
  document: fieldsOf,
};

/** An item's fields under every name that they can be called by. */
async function fieldsOf(request: Request, around: Surroundings): Promise<Record<string, string>> {
  const [vaultName, itemName, ...more] = request.path.split('/');
  if (!vaultName || !itemName || more.length > 0) {
    throw new IngotError(
      'secrets/bad-reference',
      `ref+onepasswordconnect://${request.path} names no vault and item`,
      { hint: 'Write ref+onepasswordconnect://vault/item#/field.' },
    );
  }
  const { OP_CONNECT_HOST: host, OP_CONNECT_TOKEN: token } = around.env;
  if (!host || !token) {
    const missing = host ? 'OP_CONNECT_TOKEN' : 'OP_CONNECT_HOST';
    throw notConfigured('onepasswordconnect', `${missing} is not set`, `Set ${missing}.`);
  }
  around.hide(token);
  const base = serviceUrl('onepasswordconnect', host, 'OP_CONNECT_HOST');
  const headers = { authorization: `Bearer ${token}` };
  const find = async (path: string, key: 'name' | 'title', name: string): Promise<string> => {
    if (ID.test(name)) return name;
    const url = below(base, 'v1', path);
    url.searchParams.set('filter', `${key} eq "${name.replace(/[\\"]/g, '\\$&')}"`);
    const answer = await around.fetch({ url, headers });
    const list = answer.status === 200 ? jsonOf(answer) : undefined;
    if (!Array.isArray(list)) throw apiRefusal(answer, '1Password Connect', `${path} named ${name}`);
    const ids = list.flatMap((entry) => (isMap(entry) && typeof entry.id === 'string' ? [entry.id] : []));
    const [id] = ids;
    if (id !== undefined && ids.length === 1) return id;
    throw notFound(
      `single ${key === 'name' ? 'vault' : 'item'} called ${JSON.stringify(name)}: there are ${ids.length}`,
    );
  };
  const vault = await around.once(['1Password vault', host, vaultName], () =>
    find('vaults', 'name', vaultName),
  );
  const item = await find(`vaults/${vault}/items`, 'title', itemName);
  const url = below(base, 'v1', `vaults/${vault}/items/${item}`);
  const what = `item ${itemName} of the vault ${vaultName}`;
  const { fields } = answerObject(await around.fetch({ url, headers }), '1Password Connect', what);
  return Object.fromEntries((Array.isArray(fields) ? fields : []).flatMap(namesOf));
}

/** Each name of a field, with its value: its id; its label; both after the section's label and id. */
function namesOf(field: unknown): [string, string][] {
  if (!isMap(field)) return [];
  const value = typeof field.value === 'string' ? field.value : '';
  const { id, label, section } = field;
  const own = [id, label].filter((name) => typeof name === 'string');
  const sections = isMap(section) ? [section.label, section.id] : [];
  const below = sections
    .filter((name) => typeof name === 'string' && name !== '')
    .flatMap((name) => own.map((inner) => `${String(name)}.${inner}`));
  const plain = isMap(section) ? own.slice(0, 1) : own;
  return [...plain, ...below].map((name) => [name, value]);
}
