import type { Surroundings } from '../provider.ts';
import { serviceUrl } from '../service-url.ts';
import { googleAccess } from './token.ts';

/** A Google API's address: its own, or what gcloud's variable for it says (`CLOUDSDK_API_ENDPOINT_OVERRIDES_…`). */
export function googleEndpoint(service: 'cloudkms' | 'secretmanager', { env }: Surroundings): URL {
  const name = `CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`;
  return serviceUrl('Google Cloud', env[name] || `https://${service}.googleapis.com/`, name);
}

/**
 * The headers that open Google's APIs. A user's call must name the project that it counts for: Secret Manager and Cloud
 * KMS refuse one that names none (Google Cloud documentation, "Quota project overview").
 */
export async function googleHeaders(around: Surroundings): Promise<Record<string, string>> {
  const { token, quotaProject } = await googleAccess(around);
  const project = around.env.GOOGLE_CLOUD_QUOTA_PROJECT || quotaProject;
  return { authorization: `Bearer ${token}`, ...(project && { 'x-goog-user-project': project }) };
}
