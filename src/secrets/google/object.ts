import type { Surroundings } from '../provider.ts';
import { refusal } from '../refusal.ts';
import { serviceUrl } from '../service-url.ts';
import { googleHeaders } from './call.ts';

export interface GcsObject {
  readonly bucket: string;
  readonly key: string;
  readonly generation?: string;
}

/** An object's content (Cloud Storage JSON API, Objects: get, alt=media). STORAGE_EMULATOR_HOST names an emulator. */
export async function gcsObject(
  { bucket, key, generation }: GcsObject,
  around: Surroundings,
): Promise<Buffer> {
  const emulator = around.env.STORAGE_EMULATOR_HOST;
  const address = emulator ? emulator.replace(/^(?!https?:)/, 'http://') : 'https://storage.googleapis.com';
  const url = serviceUrl('gcs', address, 'STORAGE_EMULATOR_HOST');
  url.pathname = `/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(key)}`;
  url.searchParams.set('alt', 'media');
  if (generation !== undefined) url.searchParams.set('generation', generation);
  const headers = emulator ? {} : await googleHeaders(around);
  const answer = await around.fetch({ url, headers });
  if (answer.status === 200) return answer.body;
  throw refusal(answer, 'Cloud Storage', `object ${key} of bucket ${bucket}`);
}
