import type { AlternativeElementNode, AlternativeNode } from 'oniguruma-parser/parser';

/** Whether every look behind is of a fixed length, as PCRE wants it; only its alternatives may differ in theirs. */
export function hasFixedLookbehinds(alternatives: readonly AlternativeNode[]): boolean {
  return alternatives.every(({ body }) => body.every(isFixed));
}

function isFixed(node: AlternativeElementNode): boolean {
  if (node.type === 'Quantifier') return isFixed(node.body);
  if (node.type !== 'LookaroundAssertion' && node.type !== 'Group' && node.type !== 'CapturingGroup') return true;
  const isBehind = node.type === 'LookaroundAssertion' && node.kind === 'lookbehind';
  if (isBehind && node.body.some(({ body }) => widthOf(body) === undefined)) return false;
  return hasFixedLookbehinds(node.body);
}

/** In characters; undefined when it is not always the same. */
function widthOf(elements: readonly AlternativeElementNode[]): number | undefined {
  let sum = 0;
  for (const node of elements) {
    const width = widthOfOne(node);
    if (width === undefined) return undefined;
    sum += width;
  }
  return sum;
}

function widthOfOne(node: AlternativeElementNode): number | undefined {
  switch (node.type) {
    case 'Assertion':
    case 'LookaroundAssertion':
    case 'Directive':
      return 0;
    case 'Character':
    case 'CharacterClass':
      return 1;
    case 'CharacterSet':
      return node.variableLength ? undefined : 1;
    case 'Quantifier': {
      const width = widthOfOne(node.body);
      return node.min === node.max && width !== undefined ? node.min * width : undefined;
    }
    case 'Group':
    case 'CapturingGroup': {
      const widths = node.body.map(({ body }) => widthOf(body));
      return widths.every((width) => width === widths[0]) ? widths[0] : undefined;
    }
    default:
      return undefined;
  }
}
