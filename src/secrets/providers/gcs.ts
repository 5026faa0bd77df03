import { splitBucket } from '../bucket.ts';
import { badParam } from '../encode.ts';
import { gcsObject } from '../google/object.ts';
import type { Provider } from '../provider.ts';

/** `ref+gcs://bucket/key?generation=` */
export const gcs: Provider = {
  async text(request, around) {
    const { bucket, key } = splitBucket('gcs', request.path);
    const generation = request.param('generation');
    if (generation !== undefined && !/^\d+$/.test(generation))
      throw badParam('generation', generation, 'a whole number');
    const body = await gcsObject({ bucket, key, ...(generation && { generation }) }, around);
    return body.toString('utf8');
  },
};
