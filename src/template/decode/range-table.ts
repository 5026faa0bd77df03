import type { SourceRange } from '../../core/diagnostic.ts';
import type { Expression } from '../hcl/ast.ts';

/** Where each option was set, by its path. */
export class RangeTable {
  readonly #ranges = new Map<string, SourceRange>();
  readonly #whole: SourceRange;

  constructor(whole: SourceRange) {
    this.#whole = whole;
  }

  set(path: readonly (string | number)[], range: SourceRange): void {
    this.#ranges.set(JSON.stringify(path), range);
  }

  /** Notes an attribute, and each element of a list or object written out in it. */
  setExpression(path: readonly (string | number)[], expression: Expression): void {
    this.set(path, expression.range);
    if (expression.kind === 'tuple') {
      expression.items.forEach((item, index) => this.setExpression([...path, index], item));
    } else if (expression.kind === 'object') {
      for (const { key, value } of expression.items) {
        const [part] = key.kind === 'template' ? key.parts : [];
        if (part?.kind === 'text') this.setExpression([...path, part.text], value);
      }
    }
  }

  /** The range of the path, or of what is closest around it. */
  at(path: readonly (string | number)[]): SourceRange {
    for (let length = path.length; length > 0; length--) {
      const range = this.#ranges.get(JSON.stringify(path.slice(0, length)));
      if (range) return range;
    }
    return this.#whole;
  }
}
