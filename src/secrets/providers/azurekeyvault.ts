import { IngotError } from '../../core/error.ts';
import { type AzureAudience, azureToken } from '../azure/token.ts';
import type { HttpAnswer } from '../http.ts';
import type { Provider } from '../provider.ts';
import { answerObject, notFound } from '../refusal.ts';
import { below, serviceUrl } from '../service-url.ts';

const PUBLIC = 'vault.azure.net';

/** `ref+azurekeyvault://vault/secret[/version]`; a vault with dots is a host name (Key Vault REST API, Get Secret). */
export const azurekeyvault: Provider = {
  async text(request, around) {
    const [vault, secret, version, ...more] = request.path.replace(/\/$/, '').split('/');
    if (!vault || !secret || more.length > 0) {
      throw new IngotError('secrets/bad-reference', `ref+azurekeyvault://${request.path} names no secret`, {
        hint: 'Write ref+azurekeyvault://vault/secret or ref+azurekeyvault://vault/secret/version.',
      });
    }
    const host = vault.includes('.') ? vault : `${vault}.${PUBLIC}`;
    const base = serviceUrl('azurekeyvault', `https://${host}`, 'the vault of the reference');
    const url = below(base, 'secrets', version ? `${secret}/${version}` : secret);
    url.searchParams.set('api-version', '7.4');
    // The token is for all vaults of a cloud: my-vault.vault.usgovcloudapi.net → vault.usgovcloudapi.net.
    const resource = `https://${base.hostname.split('.').slice(1).join('.')}`;
    const ask = async (audience: AzureAudience): Promise<HttpAnswer> => {
      const headers = { authorization: `Bearer ${await azureToken(audience, around)}` };
      return await around.fetch({ url, headers });
    };
    const first = await ask({ resource });
    const tenant = tenantOf(first);
    const answer = tenant === undefined ? first : await ask({ resource, tenant });
    const what = `secret ${secret} of ${host}`;
    const { value } = answerObject(answer, host, what);
    if (typeof value === 'string') return value;
    throw notFound(`value of the ${what}`);
  },
};

/**
 * Whose users a vault takes, where it refuses a token: `Bearer authorization="https://login.microsoftonline.com/TENANT",
 * resource="…"` (Azure Key Vault, "Authentication, requests and responses").
 */
function tenantOf({ status, headers }: HttpAnswer): string | undefined {
  const challenge = status === 401 ? headers['www-authenticate'] : undefined;
  return /\bauthorization(?:_uri)?="https:\/\/[^/"]+\/([A-Za-z0-9.-]+)"/.exec(challenge ?? '')?.[1];
}
