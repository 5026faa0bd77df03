import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { error } from '../diagnostics.ts';
import type { EvalScope } from '../eval/scope.ts';
import { evaluate } from '../eval/evaluate.ts';
import type { HclBlock, HclBody } from '../hcl/ast.ts';
import { mapOf, STRING } from '../value/type.ts';
import { entriesOf } from '../value/value.ts';
import { checkLabels, readContent } from './content.ts';
import { convertTo, readConstant } from './variables.ts';

/** What a `hcp_packer_registry` block says of a build. */
export interface Registry {
  readonly bucketName?: string;
  readonly description?: string;
  /** Labels of the bucket, and those of this build over them. */
  readonly labels: ReadonlyMap<string, string>;
  readonly range: SourceRange;
}

const CONTENT = {
  what: 'a hcp_packer_registry block',
  attributes: ['bucket_name', 'description', 'bucket_labels', 'build_labels', 'labels'],
  blocks: {},
};

/** Characters of a description that the registry takes. */
const MAX_DESCRIPTION = 255;

/** Reads a `hcp_packer_registry` block. Nothing is pushed there, which a warning says. */
export function readRegistry(block: HclBlock, scope: EvalScope, diagnostics: Diagnostic[]): Registry {
  checkLabels(block, [], diagnostics);
  const body = readContent(block.body, CONTENT, diagnostics);
  const bucketName = readConstant(body, 'bucket_name', STRING, scope, diagnostics);
  const description = readConstant(body, 'description', STRING, scope, diagnostics);
  if (typeof description === 'string' && Array.from(description).length > MAX_DESCRIPTION) {
    const message = `description: at most ${MAX_DESCRIPTION} characters are allowed; got ${Array.from(description).length}`;
    diagnostics.push(
      error(
        'template/wrong-value',
        message,
        body.attributes.get('description')?.expression.range ?? block.range,
      ),
    );
  }
  if (typeof bucketName === 'string' && !/^[A-Za-z0-9][A-Za-z0-9-]{1,34}[A-Za-z0-9]$/.test(bucketName)) {
    const message = `bucket_name: expected 3 to 36 letters, digits and hyphens; got ${JSON.stringify(bucketName)}`;
    diagnostics.push(
      error(
        'template/wrong-value',
        message,
        body.attributes.get('bucket_name')?.expression.range ?? block.range,
      ),
    );
  }
  diagnostics.push({
    code: 'template/registry',
    severity: 'warning',
    message: 'nothing is pushed to the HCP Packer registry',
    range: block.range,
    hint: "The image file's release block says where releases go.",
  });
  return {
    ...(typeof bucketName === 'string' && { bucketName }),
    ...(typeof description === 'string' && { description }),
    labels: new Map([
      ...readLabels(body, 'labels', scope, diagnostics),
      ...readLabels(body, 'bucket_labels', scope, diagnostics),
      ...readLabels(body, 'build_labels', scope, diagnostics),
    ]),
    range: block.range,
  };
}

function readLabels(
  body: HclBody,
  name: string,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): Map<string, string> {
  const expression = body.attributes.get(name)?.expression;
  if (!expression) return new Map();
  const value = convertTo(
    evaluate(expression, scope, diagnostics),
    mapOf(STRING),
    name,
    expression.range,
    diagnostics,
  );
  return new Map(
    [...entriesOf(value)].flatMap(([key, { data }]) =>
      typeof data === 'string' ? [[key, data] as const] : [],
    ),
  );
}
