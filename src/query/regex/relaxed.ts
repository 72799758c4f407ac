import { generate } from 'oniguruma-parser/generator';
import type {
  AlternativeElementNode,
  AlternativeNode,
  CharacterClassNode,
  OnigurumaAst,
  QuantifiableNode,
} from 'oniguruma-parser/parser';
import { isAmbiguous } from './cost.ts';

/**
 * A pattern that finds something in every text in which the given one does, and is cheap: each repetition that may find
 * the same text in many ways becomes one of the characters that it is made of, as `^(a+b?)+$` becomes `^[ab]*$`.
 * Undefined where it cannot be told.
 */
export function relaxedPattern(ast: OnigurumaAst): { ast: OnigurumaAst; pattern: string } | undefined {
  const body = relaxAlternatives(ast.body);
  const relaxed = body && { ...ast, body };
  return relaxed && { ast: relaxed, pattern: generate(relaxed).pattern };
}

function relaxAlternatives(alternatives: readonly AlternativeNode[]): AlternativeNode[] | undefined {
  return allOf(alternatives, ({ body }) => {
    const relaxed = allOf(body, relax);
    return relaxed && { type: 'Alternative', body: relaxed };
  });
}

function relax(node: AlternativeElementNode): AlternativeElementNode | undefined {
  switch (node.type) {
    case 'Assertion':
    case 'Character':
    case 'CharacterClass':
    case 'CharacterSet':
      return node;
    case 'Quantifier': {
      if (isAmbiguous(node)) return anyOf(node.body);
      const body = relax(node.body);
      return body && { ...node, body: body as QuantifiableNode };
    }
    case 'Group':
    case 'CapturingGroup':
    case 'LookaroundAssertion': {
      // What a negation finds must not grow.
      if (node.type === 'LookaroundAssertion' && node.negate) return undefined;
      const body = relaxAlternatives(node.body);
      return body && { ...node, body };
    }
    default:
      return undefined;
  }
}

/** Any number of the characters of which the node is made. */
function anyOf(node: AlternativeElementNode): AlternativeElementNode | undefined {
  const leaves = leavesOf(node);
  if (!leaves || leaves.length === 0) return undefined;
  const any = leaves.find((leaf) => leaf.type === 'CharacterSet' && leaf.kind === 'any');
  const union = { type: 'CharacterClass', kind: 'union', negate: false, body: leaves } as CharacterClassNode;
  const max = Number.POSITIVE_INFINITY;
  return { type: 'Quantifier', kind: 'greedy', min: 0, max, body: any ?? union };
}

type LeafNode = Extract<AlternativeElementNode, { type: 'Character' | 'CharacterClass' | 'CharacterSet' }>;

function leavesOf(node: AlternativeElementNode): LeafNode[] | undefined {
  switch (node.type) {
    case 'Character':
    case 'CharacterClass':
      return [node];
    case 'CharacterSet':
      return node.variableLength ? undefined : [node];
    case 'Assertion':
      return [];
    case 'Quantifier':
      return leavesOf(node.body);
    case 'Group':
    case 'CapturingGroup':
      // With options of its own, its characters are not what they are outside of it.
      if (node.type === 'Group' && node.flags) return undefined;
      return allOf(
        node.body.flatMap(({ body }) => body),
        leavesOf,
      )?.flat();
    default:
      return undefined;
  }
}

/** Undefined where it is for one. */
function allOf<T, R>(items: readonly T[], map: (item: T) => R | undefined): R[] | undefined {
  const mapped = items.map(map);
  return mapped.includes(undefined) ? undefined : (mapped as R[]);
}
