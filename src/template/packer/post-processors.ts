import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import type { EvalScope } from '../eval/scope.ts';
import type { HclBlock, HclBody } from '../hcl/ast.ts';
import { withoutAttributes } from '../hcl/body.ts';
import { BOOL, STRING } from '../value/type.ts';
import { checkLabels } from './content.ts';
import { checkOnlyExcept, readNames } from './provisioners.ts';
import { readConstant } from './variables.ts';

export interface PostProcessorBlock {
  readonly type: string;
  readonly name?: string;
  /** Without the options that every post-processor has. */
  readonly body: HclBody;
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  readonly keepInputArtifact?: boolean;
  readonly range: SourceRange;
}

const META = ['name', 'only', 'except', 'keep_input_artifact'];

/** Reads a `post-processor` block. */
export function readPostProcessor(
  block: HclBlock,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): PostProcessorBlock | undefined {
  if (!checkLabels(block, ['TYPE'], diagnostics)) return undefined;
  const { body } = block;
  const name = readConstant(body, 'name', STRING, scope, diagnostics);
  const only = readNames(body, 'only', scope, diagnostics);
  const except = readNames(body, 'except', scope, diagnostics);
  checkOnlyExcept(body, only, except, diagnostics);
  const keep = readConstant(body, 'keep_input_artifact', BOOL, scope, diagnostics);
  return {
    type: block.labels[0] as string,
    ...(typeof name === 'string' && { name }),
    body: withoutAttributes(body, META),
    ...(only && { only }),
    ...(except && { except }),
    ...(typeof keep === 'boolean' && { keepInputArtifact: keep }),
    range: block.range,
  };
}
