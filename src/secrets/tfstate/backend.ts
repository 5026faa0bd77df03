import { s3Object } from '../aws/s3-object.ts';
import { readBlob } from '../azure/blob.ts';
import { isMap } from '../document.ts';
import { gcsObject } from '../google/object.ts';
import type { Surroundings } from '../provider.ts';
import { IngotError } from '../../core/error.ts';

/**
 * The state that a working folder's `.terraform/terraform.tfstate` points to: its backend block with what `terraform init`
 * was told (Terraform, backends s3, gcs and azurerm). Throws `secrets/unsupported` for others.
 */
export async function readBackend(
  backend: Readonly<Record<string, unknown>>,
  workspace: string,
  around: Surroundings,
): Promise<Buffer> {
  const config = isMap(backend.config) ? backend.config : {};
  const get = (name: string): string => {
    const value = config[name];
    return typeof value === 'string' ? value : '';
  };
  const isDefault = workspace === 'default';
  switch (backend.type) {
    case 's3': {
      const prefix = get('workspace_key_prefix') || 'env:';
      const key = isDefault ? get('key') : `${prefix}/${workspace}/${get('key')}`;
      const params = {
        region: get('region') || undefined,
        profile: get('profile') || undefined,
        roleArn: get('role_arn') || undefined,
      };
      return await s3Object(params, { bucket: get('bucket'), key }, around);
    }
    case 'gcs': {
      const prefix = get('prefix').replace(/\/+$/, '');
      const key = `${prefix === '' ? '' : `${prefix}/`}${workspace}.tfstate`;
      return await gcsObject({ bucket: get('bucket'), key }, around);
    }
    case 'azurerm': {
      const name = isDefault ? get('key') : `${get('key')}env:${workspace}`;
      const account = get('storage_account_name');
      return await readBlob({ account, container: get('container_name'), name }, around);
    }
    default:
      throw new IngotError(
        'secrets/unsupported',
        `Terraform's backend ${JSON.stringify(backend.type)} is not supported yet`,
        { hint: 'There are s3, gcs and azurerm.' },
      );
  }
}
