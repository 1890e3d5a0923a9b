import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

type Node = ReturnType<typeof fromMarkdown> | ReturnType<typeof fromMarkdown>['children'][number];

/** Its transforms look for addresses in text that was plain already; nothing that is written could keep them from it. */
const syntaxAlone = gfmFromMarkdown().map((extension) => ({ ...extension, transforms: [] }));

/** With the parser the Web UI uses, and with the extensions it does not use: what is inert for both is inert. */
const parses = (text: string): Node[] => [fromMarkdown(text), fromMarkdown(text, { extensions: [gfm()], mdastExtensions: syntaxAlone })];

const walk = (node: Node): Node[] => [node, ...('children' in node ? node.children.flatMap(walk) : [])];

/** Every kind of thing a renderer would make of it, by either parser. */
export const kindsOf = (markdown: string): string[] =>
  parses(markdown)
    .flatMap(walk)
    .map(({ type }) => type)
    .filter((type) => type !== 'root');

/** The words a reader sees. Throws if the two parsers do not agree. */
export function textOf(markdown: string): string {
  const texts = parses(markdown).map((root) =>
    walk(root)
      .map((node) => ('value' in node ? node.value : ''))
      .join(''),
  );
  if (new Set(texts).size !== 1) throw new Error(`two readings: ${texts.join(' | ')}`);
  return texts[0] ?? '';
}
