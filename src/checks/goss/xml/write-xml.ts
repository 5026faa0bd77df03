import type { XmlNode } from './node.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  "'": '&#39;',
  '"': '&#34;',
};

/** A node as goss shows it: markup with all that is inside; an attribute as an element of its name. */
export function writeXml(node: XmlNode): string {
  switch (node.kind) {
    case 'text':
      return escaped(node.value);
    case 'cdata':
      return `<![CDATA[${node.value}]]>`;
    case 'comment':
      return `<!--${node.value}-->`;
    case 'instruction':
      return `<?${node.name}${node.value === '' ? '' : ` ${node.value}`}?>`;
    case 'document':
      return node.children.map(writeXml).join('');
    case 'attribute':
      return `<${node.name}>${escaped(node.value)}</${node.name}>`;
    case 'element': {
      const name = qualified(node);
      const attributes = node.attributes.map((a) => ` ${qualified(a)}="${escaped(a.value)}"`).join('');
      if (node.children.length === 0) return `<${name}${attributes}/>`;
      return `<${name}${attributes}>${node.children.map(writeXml).join('')}</${name}>`;
    }
  }
}

/** A name as it was written. */
export function qualified({ prefix, name }: XmlNode): string {
  return prefix === '' ? name : `${prefix}:${name}`;
}

function escaped(text: string): string {
  return text.replace(/[<>&'"]/g, (c) => ESCAPES[c] as string);
}
