import type { Provider, Request } from '../provider.ts';
import { awsParams } from '../aws/call.ts';
import { s3Object } from '../aws/s3-object.ts';
import { splitBucket } from '../bucket.ts';

/** `ref+s3://bucket/key?region=&profile=&role_arn=&version_id=` */
export const s3: Provider = {
  async text(request, around) {
    const { bucket, key } = splitBucket('s3', request.path);
    const version = versionOf(request);
    const body = await s3Object(awsParams(request), { bucket, key, ...(version && { version }) }, around);
    return body.toString('utf8');
  },
};

function versionOf(request: Request): string | undefined {
  return request.param('version') ?? request.param('version_id');
}
