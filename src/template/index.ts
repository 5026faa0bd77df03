/** The template language: HCL2 as Packer speaks it. */
export { decodeBody, type Decoded } from './decode/decode-body.ts';
export { expandBlocks, type ScopedBlock } from './decode/dynamic-blocks.ts';
export { emptyScope, type EvalScope, withVariables } from './eval/scope.ts';
export { evaluate } from './eval/evaluate.ts';
export type { HclAttribute, HclBlock, HclBody } from './hcl/ast.ts';
export { emptyBody, mergeBodies, withoutBlocks } from './hcl/body.ts';
export { fillString } from './legacy/fill-string.ts';
export { formatHcl } from './hcl/format.ts';
export { parseHcl, parseHclExpression } from './hcl/parser.ts';
export { nearest } from './nearest.ts';
export type { BuildBlock, SourceUse } from './packer/builds.ts';
export type { DataBlock } from './packer/locals.ts';
export {
  type LoadedTemplate,
  type LoadOptions,
  loadTemplate,
  NEEDED_TO_BUILD,
  type Template,
} from './packer/load.ts';
export type { PostProcessorBlock } from './packer/post-processors.ts';
export type { ProvisionerBlock, ProvisionerMeta } from './packer/provisioners.ts';
export type { VariableInfo } from './packer/variables.ts';
export { parseJson } from './json/parse-json.ts';
export { SafeRegExp } from './regexp/regexp.ts';
export { PatternError } from './regexp/syntax.ts';
export { goQuote } from './value/go-quote.ts';
export { printValue } from './value/print.ts';
export { toJson, valueFromJson } from './value/json.ts';
export type { Value } from './value/value.ts';
