import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Descriptor } from '../../../src/core/descriptor.ts';
import { hexOf, sha256 } from '../../../src/core/digest.ts';
import { archiveOf, type Member } from './archives.ts';

export interface TestBlob {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

export interface TestImage {
  readonly manifest: TestBlob;
  /** Configuration and layers. */
  readonly blobs: readonly TestBlob[];
}

const OCI = 'application/vnd.oci.image';

export function blob(mediaType: string, bytes: Buffer): TestBlob {
  return { descriptor: { mediaType, digest: sha256(bytes), size: bytes.length }, bytes };
}

/** An image of these layers, made by hand. */
export function imageOf(layers: readonly (readonly Member[])[], config: object = {}): TestImage {
  const archives = layers.map(archiveOf);
  const blobs = archives.map((tar) => blob(`${OCI}.layer.v1.tar+gzip`, gzipSync(tar)));
  const settings = {
    architecture: 'amd64',
    os: 'linux',
    created: '2024-01-02T03:04:05Z',
    rootfs: { type: 'layers', diff_ids: archives.map((tar) => sha256(tar)) },
    history: layers.map(() => ({ created_by: 'by hand' })),
    config,
  };
  const configBlob = blob(`${OCI}.config.v1+json`, Buffer.from(JSON.stringify(settings)));
  const manifest = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: configBlob.descriptor,
    layers: blobs.map((b) => b.descriptor),
  };
  return {
    manifest: blob(manifest.mediaType, Buffer.from(JSON.stringify(manifest))),
    blobs: [configBlob, ...blobs],
  };
}

/** Writes images as a layout, each under its ref. */
export function writeLayout(dir: string, images: Readonly<Record<string, TestImage>>): void {
  mkdirSync(join(dir, 'blobs/sha256'), { recursive: true });
  writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const manifests = Object.entries(images).map(([ref, { manifest, blobs }]) => {
    for (const { descriptor, bytes } of [manifest, ...blobs])
      writeFileSync(join(dir, 'blobs/sha256', hexOf(descriptor.digest)), bytes);
    return { ...manifest.descriptor, annotations: { 'org.opencontainers.image.ref.name': ref } };
  });
  const index = { schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests };
  writeFileSync(join(dir, 'index.json'), JSON.stringify(index));
}
