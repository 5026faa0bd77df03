import { IngotError } from '../../core/error.ts';
import { isMap } from '../document.ts';
import type { Provider } from '../provider.ts';
import { jsonOf, notFound, refusal } from '../refusal.ts';
import { selectJson } from '../json-path.ts';
import { describeReference } from '../reference.ts';

/** Parameters that speak to us; the others are the server's. */
const OURS = ['insecure', 'floatAsInt', 'default'];

/**
 * `ref+httpjson://host/path?insecure=false&floatAsInt=false#/XPATH`: a value of the JSON that a server answers, as a text.
 * `insecure=true`: http instead of https.
 */
export const httpjson: Provider = {
  ownFragment: true,
  async text(request, around) {
    const { host, urlPath, params, fragment } = request;
    const shown = describeReference(request.text);
    if (fragment === '') {
      throw new IngotError('secrets/bad-reference', `ref+${shown} has no XPath`, {
        hint: 'Add one as fragment: ref+httpjson://host/path#///name',
      });
    }
    const scheme = request.param('insecure') === 'true' ? 'http' : 'https';
    let url: URL;
    try {
      url = new URL(`${scheme}://${host}`);
    } catch {
      throw new IngotError('secrets/bad-reference', `ref+${shown} names no host`, {
        hint: 'Write ref+httpjson://host/path#/XPATH, without http:// or https://.',
      });
    }
    url.pathname = urlPath.split('/').map(encodeURIComponent).join('/');
    for (const [name, value] of params) if (!OURS.includes(name)) url.searchParams.append(name, value);
    const document = await around.once(['httpjson', url.href], async () => {
      const answer = await around.fetch({ url, headers: { accept: 'application/json' } });
      const json = answer.status === 200 ? jsonOf(answer) : undefined;
      if (json === undefined) throw refusal(answer, url.origin, `${url.origin}${url.pathname}`);
      return json;
    });
    const value = lone(selectJson(document, fragment));
    if (value === undefined || value === null) throw notFound(`value at ${fragment} in ${shown}`);
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw new IngotError('secrets/not-scalar', `ref+${shown} leads to a map, or to a list of such`, {
        hint: 'Make the XPath lead to one value.',
      });
    }
    if (request.param('floatAsInt') !== 'true') return String(value);
    const number = Number(value);
    if (Number.isFinite(number)) return number.toFixed(0);
    throw new IngotError('secrets/not-scalar', `ref+${shown} leads to no number`, {
      hint: 'Leave floatAsInt out.',
    });
  },
};

/** As vals has it: a map with one field is that field, and items of a list are one text with commas. */
function lone(value: unknown): unknown {
  const items = Array.isArray(value) ? value : isMap(value) ? Object.values(value) : [];
  const isText = items.every((item) => ['string', 'number', 'boolean'].includes(typeof item));
  const isOne = isText && items.length > 0 && (Array.isArray(value) || items.length === 1);
  return isOne ? items.join(',') : value;
}
