/** A node of an XML document. Attributes are nodes whose parent is their element. */
export interface XmlNode {
  readonly kind: 'document' | 'element' | 'attribute' | 'text' | 'cdata' | 'comment' | 'instruction';
  /** Local name of an element or attribute, target of an instruction; else empty. */
  readonly name: string;
  /** As written before the `:`; empty where there is none. */
  readonly prefix: string;
  readonly namespace: string;
  /** Of what has no children. */
  readonly value: string;
  readonly parent: XmlNode | undefined;
  readonly attributes: readonly XmlNode[];
  readonly children: readonly XmlNode[];
  /** Place in the order of the document. */
  readonly order: number;
}

/** The text of a node as XPath takes it: all text inside, without comments. */
export function stringValue(node: XmlNode): string {
  if (node.kind !== 'element' && node.kind !== 'document') return node.value;
  const parts: string[] = [];
  const open: XmlNode[] = [node];
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.kind === 'text' || next.kind === 'cdata') parts.push(next.value);
    open.push(...next.children.toReversed());
  }
  return parts.join('');
}
