import type { Surroundings } from '../provider.ts';
import { serviceUrl } from '../service-url.ts';
import { googleToken } from './token.ts';

/** A Google API's address: its own, or what gcloud's variable for it says (`CLOUDSDK_API_ENDPOINT_OVERRIDES_…`). */
export function googleEndpoint(service: 'cloudkms' | 'secretmanager', { env }: Surroundings): URL {
  const name = `CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`;
  return serviceUrl('Google Cloud', env[name] || `https://${service}.googleapis.com/`, name);
}

/** The header that opens Google's APIs. */
export async function googleHeaders(around: Surroundings): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await googleToken(around)}` };
}
