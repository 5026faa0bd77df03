import { hasErrors } from '../core/diagnostic.ts';
import type { Context } from '../core/context.ts';
import type { Json } from '../core/digest.ts';
import { asIngotError } from '../core/error.ts';
import type { Catalog } from '../plan/catalog.ts';
import { type DataBlock, decodeBody, type EvalScope } from '../template/index.ts';

/**
 * Asks data sources while a template is evaluated. One whose type or body is wrong stays unknown: checking the template
 * tells why. Throws, with the block's place, what a data source throws.
 */
export function dataReader(
  catalog: Pick<Catalog, 'dataSources'>,
  context: Omit<Context, 'epoch' | 'step'>,
): (block: DataBlock, scope: EvalScope) => Promise<Json | undefined> {
  return async (block, scope) => {
    const plugin = catalog.dataSources.get(block.type);
    if (!plugin) return undefined;
    const decoded = decodeBody(block.body, await plugin.schema(), scope);
    if (hasErrors(decoded.diagnostics) || decoded.unknown) return undefined;
    const step = `data.${block.type}.${block.name}`;
    try {
      return await plugin.read(decoded.options as never, { ...context, step, epoch: 1 });
    } catch (error) {
      context.signal.throwIfAborted();
      throw asIngotError(error).at({ range: block.range });
    }
  };
}
