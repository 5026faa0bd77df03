import type { Json } from '../../core/digest.ts';
import { type GoCalls, quoted } from './go-calls.ts';

type JsonObject = Readonly<Record<string, Json>>;

/** Objects that plugins read as blocks although they hold plain values only. */
const BLOCKS = new Set(['linux_options', 'network_interface', 'shared_image_gallery']);

/**
 * The lines of a body for a builder's or provisioner's settings, sorted by name. What is a block and what an argument
 * can't be seen in JSON: objects that hold more than plain values, and lists of objects, become blocks (Packer's guess).
 */
export function writeBody(settings: JsonObject, calls: GoCalls): string {
  return Object.keys(settings)
    .sort()
    .map((name) => writeSetting(name, settings[name] as Json, calls))
    .join('');
}

function writeSetting(name: string, value: Json, calls: GoCalls): string {
  if (isObject(value) && (BLOCKS.has(name) || !isPlainMap(value))) return block(name, value, calls);
  if (Array.isArray(value)) {
    if (value.length === 0) return '';
    if (value.every(isObject)) return value.map((item) => block(name, item, calls)).join('');
  }
  return `${name} = ${expression(value, calls)}\n`;
}

function block(name: string, body: JsonObject, calls: GoCalls): string {
  return `${name} {\n${writeBody(body, calls)}}\n`;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object of strings, numbers and booleans, such as tags. */
function isPlainMap(value: JsonObject): boolean {
  const items = Object.values(value);
  return items.length > 0 && items.every((item) => typeof item !== 'object');
}

/** A value as an expression of HCL; strings with what their Go templates became. */
export function expression(value: Json, calls: GoCalls): string {
  if (typeof value === 'string') return quoted(calls.convert(value));
  if (Array.isArray(value)) return `[${value.map((item: Json) => expression(item, calls)).join(', ')}]`;
  if (isObject(value)) {
    const lines = Object.keys(value)
      .sort()
      .map((key) => `${keyOf(key)} = ${expression(value[key] as Json, calls)}\n`);
    return lines.length === 0 ? '{}' : `{\n${lines.join('')}}`;
  }
  if (typeof value === 'number' && Number.isInteger(value)) return String(BigInt(value));
  return JSON.stringify(value);
}

function keyOf(key: string): string {
  return /^[\p{ID_Start}_][\p{ID_Continue}-]*$/u.test(key) ? key : quoted(key);
}
