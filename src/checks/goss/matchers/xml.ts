import { jsonPair } from '../go-json.ts';
import { goQuote } from '../../../template/value/go-quote.ts';
import { floatText, valueText } from '../go-text.ts';
import { goType } from '../gomega-text.ts';
import { evaluateXPath } from '../xml/evaluate-xpath.ts';
import type { XmlNode } from '../xml/node.ts';
import { parseXml, XmlError } from '../xml/parse-xml.ts';
import { parseXPath, XPathError } from '../xml/parse-xpath.ts';
import { writeXml } from '../xml/write-xml.ts';
import { type Matcher, MatchError } from './matcher.ts';

/** What an XPath expression gives of an XML text; an empty `result` asks only that it finds a node. */
export function matchXml(xpath: string, result: string): Matcher {
  return {
    match(actual) {
      if (typeof actual !== 'string') {
        const shown = `%!s(${goType(actual)}=${valueText(actual)})`;
        throw new MatchError(`XML expect pattern to be a string: \n${shown}`);
      }
      const document = attempt(
        () => parseXml(actual),
        (why) => `Cannot parse XML string ${goQuote(actual)}: ${why}`,
      );
      const found = attempt(
        () => evaluateXPath(parseXPath(xpath), document),
        (why) => `Invalid XPath query ${goQuote(xpath)}: ${why}`,
      );
      if (typeof found === 'object' && result.trim() === '') return found.length > 0;
      const text = textOf(found);
      if (text === result) return true;
      throw new MatchError(
        `Cannot match XPath query with attended result; result: ${goQuote(text)}; expected: ${goQuote(result)}`,
      );
    },
    failure: (actual) => ({
      actual,
      message: 'satisfied XPath match with intended result',
      expected: result,
    }),
    negatedFailure: (actual) => ({
      actual,
      message: 'cannot match xpath query with intended result',
      expected: result,
    }),
    json: () => jsonPair('xml', xpath),
  };
}

function attempt<T>(work: () => T, message: (why: string) => string): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof XmlError || error instanceof XPathError || error instanceof MatchError)
      throw new MatchError(message(error.message));
    throw error;
  }
}

function textOf(found: string | number | boolean | readonly XmlNode[]): string {
  if (typeof found === 'object') return found.map(writeXml).join('');
  return typeof found === 'number' ? floatText(found).replace('e', 'E') : String(found);
}
