import { attr, bodySpec, type OptionsOf } from '../core/body-spec.ts';
import type { DataSource } from '../core/plugin.ts';

const nullSpec = bodySpec({ input: attr.string('What `output` answers.', { required: true }) });

/** `data "null"`: answers what it is given, when data sources are asked. */
export const nullData: DataSource<OptionsOf<typeof nullSpec>> = {
  type: 'null',
  version: 1,
  schema: async () => nullSpec,
  read: async ({ input }) => ({ output: input }),
};
