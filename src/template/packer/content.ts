import type { Diagnostic } from '../../core/diagnostic.ts';
import { error } from '../diagnostics.ts';
import type { HclBlock, HclBody } from '../hcl/ast.ts';
import { withJsonBlocks } from '../json/json-blocks.ts';
import { suggestion } from '../nearest.ts';

/** Names that one of Packer's own blocks may hold. */
export interface Content {
  /** The block in words, for messages: `a build block`. */
  readonly what: string;
  readonly attributes: readonly string[];
  /** Types of blocks, and how many labels they have. */
  readonly blocks: Readonly<Record<string, number>>;
}

/** The body with its blocks told apart (in JSON they look like arguments); reports what is not in `content`. */
export function readContent(read: HclBody, content: Content, diagnostics: Diagnostic[]): HclBody {
  const { what, attributes } = content;
  const blocks = Object.keys(content.blocks);
  const body = withJsonBlocks(read, new Map(Object.entries(content.blocks)), diagnostics);
  const known = [...attributes, ...blocks];
  for (const [name, attribute] of body.attributes) {
    if (attributes.includes(name)) continue;
    const hint = blocks.includes(name)
      ? `${name} is a block: write \`${name} { … }\`.`
      : suggestion(name, known, `It holds: ${known.join(', ') || 'nothing'}.`);
    diagnostics.push(
      error('template/unknown-argument', `${what} has no argument "${name}"`, attribute.nameRange, hint),
    );
  }
  for (const block of body.blocks) {
    if (blocks.includes(block.type)) continue;
    const hint = attributes.includes(block.type)
      ? `${block.type} is an argument: write \`${block.type} = …\`.`
      : suggestion(block.type, known, `It holds: ${known.join(', ') || 'nothing'}.`);
    diagnostics.push(
      error('template/unknown-block', `${what} has no block "${block.type}"`, block.range, hint),
    );
  }
  return body;
}

/** Whether a block has as many labels as `labels` names; reports it where not. */
export function checkLabels(block: HclBlock, labels: readonly string[], diagnostics: Diagnostic[]): boolean {
  if (block.labels.length === labels.length && block.labels.every((l) => l !== '')) return true;
  const header = [block.type, ...labels.map((l) => `"${l}"`)].join(' ');
  const got = block.labels.length === 0 ? 'none' : block.labels.map((l) => `"${l}"`).join(' ');
  const wanted = labels.length === 0 ? 'no label' : `${labels.length} label${labels.length === 1 ? '' : 's'}`;
  diagnostics.push(
    error(
      'template/labels',
      `a ${block.type} block takes ${wanted}; got ${got}`,
      block.range,
      `Write \`${header} { … }\`.`,
    ),
  );
  return false;
}

/** Whether a name can be used in expressions; reports it where not. */
export function checkName(block: HclBlock, index: number, diagnostics: Diagnostic[]): boolean {
  const name = block.labels[index] as string;
  if (/^[\p{ID_Start}_][\p{ID_Continue}-]*$/u.test(name)) return true;
  const hint = 'A name begins with a letter and holds letters, digits, "_" and "-".';
  diagnostics.push(
    error(
      'template/invalid-name',
      `${JSON.stringify(name)} is no name`,
      block.labelRanges[index] ?? block.range,
      hint,
    ),
  );
  return false;
}
