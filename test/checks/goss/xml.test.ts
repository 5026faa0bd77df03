import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateXPath } from '../../../src/checks/goss/xml/evaluate-xpath.ts';
import { parseXml, XmlError } from '../../../src/checks/goss/xml/parse-xml.ts';
import { parseXPath, XPathError } from '../../../src/checks/goss/xml/parse-xpath.ts';
import { writeXml } from '../../../src/checks/goss/xml/write-xml.ts';
import { TempFolder } from './files.ts';
import { runFile } from './run-file.ts';

const ORDER = `<?xml version="1.0" encoding="utf-8"?>
<order date="2026-02-01">
  <!-- a note -->
  <address xmlns:billing="http://localhost/billing">
    <billing:city k="1">Old Town</billing:city>
  </address>
  <items>
    <book isbn="1"><title>Harry Potter</title><quantity>1</quantity><price>25</price></book>
    <book isbn="2"><title>Tom &amp; &lt;Jerry&gt;</title><quantity>1</quantity><price>18.5</price><empty/></book>
    <x><![CDATA[a<b]]>t</x>
  </items>
</order>`;
const NUMBERS = '<a><b>1</b><b>2</b><b>3</b></a>';

/** An expression's value as goss compares it. */
function valueOf(xml: string, xpath: string): string {
  const value = evaluateXPath(parseXPath(xpath), parseXml(xml));
  return typeof value === 'object' ? value.map(writeXml).join('') : String(value);
}

// Each as github.com/antchfx/xmlquery 1.5.2, which goss uses, answers it.
test.each([
  ['//book[2]/title', '<title>Tom &amp; &lt;Jerry&gt;</title>'],
  ['//book[last()]/empty', '<empty/>'],
  ["//book[title='Harry Potter']/price/text()", '25'],
  ["//book[contains(title, 'Jerry')]/price", '<price>18.5</price>'],
  ['//book[quantity=1 and price<20]/@isbn', '<isbn>2</isbn>'],
  ['//book/title/text()', 'Harry PotterTom &amp; &lt;Jerry&gt;'],
  ["//*[local-name()='city']", '<billing:city k="1">Old Town</billing:city>'],
  ['//billing:city/text()', 'Old Town'],
  ['/order/@date', '<date>2026-02-01</date>'],
  ['//comment()', '<!-- a note -->'],
  ['//x', '<x><![CDATA[a<b]]>t</x>'],
  ['(//title)[1]', '<title>Harry Potter</title>'],
  ['//book[1]/following-sibling::book/@isbn', '<isbn>2</isbn>'],
  ['//price/ancestor::book[@isbn="2"]/quantity', '<quantity>1</quantity>'],
  ['count(//book)', '2'],
  ['sum(//price) div 2', '21.75'],
  ['string-length(//title)', '12'],
  ["boolean(//book[title='Dune'])", 'false'],
  ["concat(//title, '-', //price)", 'Harry Potter-25'],
  ["substring('12345', 2, 3)", '234'],
  ["substring-before('a-b', '-')", 'a'],
  ["normalize-space('  a   b ')", 'a b'],
  ["translate('abc', 'ab', 'x')", 'xc'],
  ["ends-with('abc', 'c')", 'true'],
  ["matches('abc', '^a.c$')", 'true'],
  ['2 + 3 * 4', '14'],
  ['-5 mod 2', '-1'],
  ['round(2.5)', '3'],
  ['1 < 2 and 2 < 1', 'false'],
  ['//nope', ''],
])('%s gives %s', (xpath, expected) => expect(valueOf(ORDER, xpath)).toBe(expected));

test.each([
  ['//b[position()>1]', '<b>2</b><b>3</b>'],
  ['//b[.>1][1]', '<b>2</b>'],
  ['//b[3]/preceding-sibling::b[1]', '<b>2</b>'],
  ['//b=2', 'true'],
  ['//b!=2', 'true'],
])('%s of numbers gives %s', (xpath, expected) => expect(valueOf(NUMBERS, xpath)).toBe(expected));

describe('no XML', () => {
  test.each([
    ['<a>', 'XML syntax error on line 1: unexpected EOF'],
    ['<a>\n</b>', 'XML syntax error on line 2: element <a> closed by </b>'],
    ['<a b=c/>', 'XML syntax error on line 1: expected attribute name in element a'],
    ['<a>&nope;</a>', 'XML syntax error on line 1: invalid character entity &nope;'],
    ['text', 'XML syntax error on line 1: text outside of the root element'],
    ['', 'XML syntax error on line 1: there is no element'],
  ])('%j: %s', (xml, message) => expect(() => parseXml(xml)).toThrow(new XmlError(message)));
});

describe('hostile input', () => {
  test('entities of a document type do not grow: they are unknown', () => {
    const xml = '<!DOCTYPE a [<!ENTITY x "yyyyyyyy"><!ENTITY z "&x;&x;">]><a>&z;</a>';
    expect(() => parseXml(xml)).toThrow('invalid character entity &z;');
  });

  test('nesting has an end, of documents and of expressions', () => {
    expect(() => parseXml('<a>'.repeat(100_000))).toThrow('nested more than 500 deep');
    expect(() => parseXPath('('.repeat(100_000))).toThrow('nested more than 100 deep');
  });

  test('an expression that looks at every node for every node is ended', () => {
    const xml = `<a>${'<b><c/></b>'.repeat(2000)}</a>`;
    expect(() => valueOf(xml, '//*[count(//*[count(//*) > 0]) > 0]')).toThrow('too many nodes');
  });

  test('any text is read or refused, and what is read can be written', () => {
    const parts = fc.constantFrom(
      '<a>',
      '</a>',
      '<b c="d">',
      '</b>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '&lt;',
      '&',
      'x',
      '<?p q?>',
      '<e/>',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (all) => {
        let again: string;
        try {
          again = writeXml(parseXml(all.join('')));
        } catch (error) {
          expect(error).toBeInstanceOf(XmlError);
          return;
        }
        expect(writeXml(parseXml(again))).toBe(again);
      }),
    );
  });

  test('any expression is read or refused', () => {
    const parts = fc.constantFrom(
      '//',
      '/',
      'a',
      '@',
      '[',
      ']',
      '(',
      ')',
      '1',
      "'x'",
      '=',
      'and',
      'div',
      'count',
      '*',
      '::',
      'child',
      '..',
      '|',
      '-',
      ',',
      '$',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 10 }), (all) => {
        try {
          valueOf(NUMBERS, all.join(' '));
        } catch (error) {
          expect(error).toBeInstanceOf(XPathError);
        }
      }),
    );
  });
});

test('the matcher passes, fails and says why as goss does', async () => {
  using folder = new TempFolder();
  const check = (name: string, xpath: string, result: string): string =>
    `  ${name}:\n    content: ${JSON.stringify(NUMBERS)}\n    matches: {xml: {xpath: ${JSON.stringify(xpath)}, result: ${JSON.stringify(result)}}}\n`;
  const file = folder.write(
    'goss.yaml',
    `matching:\n${check('a', 'count(//b)', '3')}${check('b', '//b', '')}${check('c', '//c', '')}${check('d', '//b[1]', '2')}${check('e', '//b[', '')}`,
  );
  const { text } = await runFile(file, 'documentation', { options: ['sort', 'pretty', 'exclude_raw'] });
  expect(
    text.split('Failures/Skipped:')[0]?.trimEnd(),
  ).toBe(`Matching: a: matches: matches expectation: {"xml":{"result":"3","xpath":"count(//b)"}}
Matching: b: matches: matches expectation: {"xml":{"result":"","xpath":"//b"}}
Matching: c: matches:
Expected
    ${JSON.stringify(NUMBERS)}
satisfied XPath match with intended result
    ""
diff
    --- test
    +++ actual
    @@ -1 +1 @@
    -
    +${NUMBERS}
Matching: d: matches:
Error
    Cannot match XPath query with attended result; result: "<b>1</b>"; expected: "2"
Matching: e: matches:
Error
    Invalid XPath query "//b[": unexpected end; expected a name`);
});
