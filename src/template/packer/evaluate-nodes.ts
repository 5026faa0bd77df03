import type { Diagnostic } from '../../core/diagnostic.ts';
import type { Json } from '../../core/digest.ts';
import { texts } from '../decode/plain.ts';
import { evaluate } from '../eval/evaluate.ts';
import { type EvalScope, type Namespace, withVariables } from '../eval/scope.ts';
import { valueFromJson } from '../value/json.ts';
import { sensitiveMark } from '../value/marks.ts';
import { mark, object, UNKNOWN, type Value } from '../value/value.ts';
import { type DataBlock, type LocalInfo, type Node, orderNodes } from './locals.ts';

/** Asks a data source; undefined leaves its value unknown (validating without running it). */
export type ReadData = (source: DataBlock, scope: EvalScope) => Promise<Json | undefined>;

/** Evaluates locals and data sources, each behind what it needs, and adds `local` and `data` to the scope. */
export async function evaluateNodes(
  locals: readonly LocalInfo[],
  data: readonly DataBlock[],
  scope: EvalScope,
  secrets: Map<string, readonly string[]>,
  readData: ReadData | undefined,
  diagnostics: Diagnostic[],
): Promise<{ scope: EvalScope; locals: ReadonlyMap<string, Value> }> {
  const localValues = new Map<string, Value>();
  const dataValues = new Map<string, Map<string, Value>>();
  for (const { type, name } of data) {
    const names = dataValues.get(type) ?? new Map<string, Value>();
    dataValues.set(type, names.set(name, UNKNOWN));
  }
  const inner = withVariables(scope, {
    local: localNamespace(locals, localValues),
    data: dataNamespace(dataValues),
  });
  for (const node of orderNodes(locals, data, diagnostics)) {
    if (node.local) {
      let value = evaluate(node.local.expression, inner, diagnostics);
      if (node.local.sensitive) {
        value = mark(value, sensitiveMark(node.id));
        secrets.set(node.id, texts(value));
      }
      localValues.set(node.local.name, value);
    } else {
      await readInto(node, dataValues, inner, readData);
    }
  }
  return { scope: inner, locals: localValues };
}

async function readInto(
  node: Node,
  values: ReadonlyMap<string, Map<string, Value>>,
  scope: EvalScope,
  readData: ReadData | undefined,
): Promise<void> {
  const source = node.data as DataBlock;
  const json = await readData?.(source, scope);
  if (json !== undefined) values.get(source.type)?.set(source.name, valueFromJson(json));
}

/** What is declared and not evaluated (it stands in a circle that was reported) is unknown. */
function localNamespace(locals: readonly LocalInfo[], values: ReadonlyMap<string, Value>): Namespace {
  const declared = new Set(locals.map((l) => l.name));
  return {
    what: 'local',
    get: (name) => values.get(name) ?? (declared.has(name) ? UNKNOWN : undefined),
    names: () => declared,
    whole: () => object(values),
  };
}

function dataNamespace(values: ReadonlyMap<string, ReadonlyMap<string, Value>>): Namespace {
  const ofType = (type: string): Value | undefined => {
    const names = values.get(type);
    return names && object(names);
  };
  return {
    what: 'data source of type',
    get: ofType,
    names: () => values.keys(),
    whole: () => object(new Map([...values].map(([type, names]) => [type, object(names)]))),
  };
}
