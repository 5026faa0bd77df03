import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IngotError } from '../../core/error.ts';
import { s3Object } from '../aws/s3-object.ts';
import { readBlob } from '../azure/blob.ts';
import { splitBucket } from '../bucket.ts';
import { isMap } from '../document.ts';
import { goJson } from '../go-json.ts';
import { gcsObject } from '../google/object.ts';
import type { Provider, Request, Surroundings } from '../provider.ts';
import { notFound } from '../refusal.ts';
import { readBackend } from '../tfstate/backend.ts';
import { lookupState } from '../tfstate/lookup.ts';
import { readSecretFile } from './file.ts';

/** Reads the bytes of the state at a path. */
type ReadState = (path: string, request: Request, around: Surroundings) => Promise<Buffer>;

/** `ref+tfstate://path/to/terraform.tfstate/ADDRESS.ATTRIBUTE?aws_profile=`, also of a backend's pointer file. */
export const tfstate: Provider = providerOf(async (path, request, around) => {
  const file = await readSecretFile(path);
  const state = readState(file, path);
  if (!isMap(state) || !isMap(state.backend)) return file;
  const backend = withProfile(state.backend, request.param('aws_profile'));
  return await readBackend(backend, await workspaceOf(path, around), around);
});

/** `ref+tfstates3://bucket/path/to/terraform.tfstate/ADDRESS.ATTRIBUTE?aws_profile=&region=` */
export const tfstates3: Provider = providerOf((path, request, around) => {
  const params = { region: request.param('region'), profile: request.param('aws_profile') };
  return s3Object(params, splitBucket('tfstates3', path), around);
});

/** `ref+tfstategs://bucket/path/to/terraform.tfstate/ADDRESS.ATTRIBUTE` */
export const tfstategs: Provider = providerOf((path, _request, around) =>
  gcsObject(splitBucket('tfstategs', path), around),
);

/** `ref+tfstateazurerm://resource-group/account/container/blob.tfstate/ADDRESS.ATTRIBUTE` */
export const tfstateazurerm: Provider = providerOf((path, _request, around) => {
  const [, account, container, ...blob] = path.split('/');
  if (account && container && blob.length > 0)
    return readBlob({ account, container, name: blob.join('/') }, around);
  throw new IngotError('secrets/bad-reference', `ref+tfstateazurerm://${path} names no blob`, {
    hint: 'Write ref+tfstateazurerm://resource-group/account/container/name.tfstate/output.name.',
  });
});

function providerOf(read: ReadState): Provider {
  return {
    async text(request, around) {
      const { file, address } = split(request);
      const access = ['aws_profile', 'region'].map((name) => request.param(name));
      const state = await around.once(['tfstate', request.backend, file, access], async () =>
        readState(await read(file, request, around), file),
      );
      const value = lookupState(state, address);
      if (value === undefined || value === null) throw notFound(`${address} in the state ${file}`);
      return typeof value === 'string' ? value : goJson(value);
    },
    document() {
      throw new IngotError('secrets/bad-reference', 'a reference to a Terraform state has no fragment', {
        hint: 'Put the attribute behind the address: ref+tfstate://terraform.tfstate/output.db.host.',
      });
    },
  };
}

/** States are large, and JSON: this takes a hundredth of the time that YAML would. */
function readState(content: Buffer, path: string): unknown {
  try {
    return JSON.parse(content.toString('utf8')) as unknown;
  } catch {
    throw new IngotError('secrets/bad-document', `${path} is no JSON, and so no Terraform state`, {
      hint: 'Name the file that `terraform state pull` writes.',
    });
  }
}

/** The state, and the address behind its last slash; slashes within brackets belong to the address. */
function split({ path, backend }: Request): { file: string; address: string } {
  const at = path.replace(/\["[^"]*"\]/g, (key) => '_'.repeat(key.length)).lastIndexOf('/');
  if (at > 0) return { file: path.slice(0, at), address: path.slice(at + 1) };
  throw new IngotError('secrets/bad-reference', `ref+${backend}://${path} names no state and address`, {
    hint: 'Write ref+tfstate://path/to/terraform.tfstate/output.name.',
  });
}

function withProfile(
  backend: Readonly<Record<string, unknown>>,
  profile: string | undefined,
): Readonly<Record<string, unknown>> {
  if (profile === undefined || !isMap(backend.config)) return backend;
  return { ...backend, config: { ...backend.config, profile } };
}

/** Terraform keeps the chosen workspace in `environment` beside the pointer file. */
async function workspaceOf(path: string, { env }: Surroundings): Promise<string> {
  if (env.TF_WORKSPACE) return env.TF_WORKSPACE;
  const text = await readFile(join(dirname(path), 'environment'), 'utf8').catch(() => '');
  return text.trim() || 'default';
}
