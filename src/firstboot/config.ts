import type { OptionsOf } from '../core/body-spec.ts';
import type { firstBootSpec } from './spec.ts';

type Decoded = OptionsOf<typeof firstBootSpec>;
type DecodedReady = NonNullable<Decoded['ready']>;
type DecodedRegister = NonNullable<Decoded['register']>;

/** Blocks with the label that they carry. */
type Labelled<L extends string, T> = readonly (Omit<T, L> & { readonly [K in L]: string })[];
type Named<T extends readonly unknown[]> = Labelled<'name', T[number]>;

export type FileOptions = Labelled<'path', Decoded['file'][number]>[number];
export type CommandOptions = Named<Decoded['command']>[number];

export interface ReadyOptions extends Omit<DecodedReady, 'tcp' | 'http' | 'command'> {
  readonly tcp: Named<DecodedReady['tcp']>;
  readonly http: Named<DecodedReady['http']>;
  readonly command: Named<DecodedReady['command']>;
}

export interface RegisterOptions {
  readonly consul: Named<DecodedRegister['consul']>;
  readonly dns: Named<DecodedRegister['dns']>;
  readonly http: Named<DecodedRegister['http']>;
}

/** What a `first_boot` block decodes to. */
export interface FirstBootOptions
  extends Omit<Decoded, 'file' | 'service' | 'command' | 'ready' | 'register'> {
  readonly file: readonly FileOptions[];
  readonly service: readonly { readonly unit: string; readonly file: readonly FileOptions[] }[];
  readonly command: readonly CommandOptions[];
  readonly ready: ReadyOptions | undefined;
  readonly register: RegisterOptions | undefined;
}

/** /usr/lib/ingot/first-boot.json: the block's options; templates and scripts are named by their place in the image. */
export type FirstBootConfig = Omit<FirstBootOptions, 'cloud_init' | 'agent'>;

/** What the agent goes by in an image without the block. */
export const NO_FIRST_BOOT: FirstBootConfig = {
  file: [],
  service: [],
  command: [],
  ready: undefined,
  register: undefined,
  environment: {},
  variables: {},
  required: [],
  allow_exec: false,
};
