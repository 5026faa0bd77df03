import { list, object, string, tuple, type Value } from '../value/value.ts';
import { FunctionError } from './function.ts';

/** Records of a CSV text (RFC 4180; quotes only around whole fields, blank lines skipped, as Go's encoding/csv). */
function records(text: string): string[][] {
  const rows: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const blank = /\r?\n/y;
    blank.lastIndex = at;
    if (blank.test(text)) {
      at = blank.lastIndex;
      continue;
    }
    const row: string[] = [];
    for (;;) {
      const field = /"((?:[^"]|"")*)"|([^",\r\n]*)/y;
      field.lastIndex = at;
      const match = field.exec(text) as RegExpExecArray;
      at = field.lastIndex;
      row.push(
        match[1] === undefined
          ? (match[2] as string)
          : match[1].replaceAll('""', '"').replaceAll('\r\n', '\n'),
      );
      if (text[at] !== ',') break;
      at++;
    }
    const end = /\r?\n|\r?$/y;
    end.lastIndex = at;
    if (!end.test(text)) throw new FunctionError(`a quote is out of place in record ${rows.length + 1}`, 0);
    at = end.lastIndex;
    rows.push(row);
  }
  return rows;
}

/** Objects, one a record, named by the first record. */
export function decodeCsv(text: string): Value {
  const [header, ...rows] = records(text);
  if (!header) throw new FunctionError('the header line is missing', 0);
  if (new Set(header).size !== header.length)
    throw new FunctionError('a column name comes twice in the header', 0);
  const objects = rows.map((row, i) => {
    if (row.length !== header.length) {
      throw new FunctionError(`record ${i + 2} has ${row.length} fields and the header ${header.length}`, 0);
    }
    return object(new Map(header.map((name, column) => [name, string(row[column] as string)])));
  });
  const [first] = objects;
  return first ? list(objects, first.type) : tuple([]);
}
