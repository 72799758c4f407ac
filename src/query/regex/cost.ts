import { generate } from 'oniguruma-parser/generator';
import type { AlternativeElementNode, AlternativeNode, OnigurumaAst, QuantifierNode } from 'oniguruma-parser/parser';
import { toRegExp } from 'oniguruma-to-es';

/**
 * An upper bound on the work of a backtracking engine, as far as the pattern tells: `factor * length ** degree` steps;
 * an infinite factor where a repetition may find the same text in ways without number.
 */
export interface Cost {
  readonly degree: number;
  readonly factor: number;
}

/** A repetition that allows this many lengths or fewer counts each; a longer one counts as without end. */
const FEW = 16;

export function costOf(ast: OnigurumaAst): Cost {
  const { degree, factor } = ofAlternatives(ast.body);
  // A search begins anew at each character, unless the pattern is tied to the beginning.
  const anchored = ast.body.every(({ body: [first] }) => first?.type === 'Assertion' && first.kind === 'string_start');
  return { degree: degree + (anchored ? 0 : 1), factor };
}

const ONCE: Cost = { degree: 0, factor: 1 };
const WITHOUT_BOUND: Cost = { degree: 0, factor: Number.POSITIVE_INFINITY };

function times(a: Cost, b: Cost): Cost {
  return { degree: a.degree + b.degree, factor: a.factor * b.factor };
}

function ofAlternatives(alternatives: readonly AlternativeNode[]): Cost {
  const costs = alternatives.map(({ body }) => body.map(ofElement).reduce(times, ONCE));
  return {
    degree: Math.max(...costs.map(({ degree }) => degree)),
    factor: costs.reduce((sum, { factor }) => sum + factor, 0),
  };
}

function ofElement(node: AlternativeElementNode): Cost {
  switch (node.type) {
    case 'Group':
    case 'CapturingGroup':
    case 'LookaroundAssertion':
      return ofAlternatives(node.body);
    case 'Quantifier':
      return ofRepetition(node);
    case 'Backreference':
      return { degree: 1, factor: 1 };
    case 'CharacterSet':
      // `\X` and `\R` take more than one character.
      return node.variableLength ? { degree: 1, factor: 2 } : ONCE;
    case 'AbsenceFunction':
    case 'Subroutine':
    case 'NamedCallout':
      return WITHOUT_BOUND;
    default:
      return ONCE;
  }
}

function ofRepetition(node: QuantifierNode): Cost {
  const { min, max } = node;
  const lengths = max - min + 1;
  const own: Cost = lengths <= FEW ? { degree: 0, factor: lengths } : { degree: 1, factor: 1 };
  const inner = ofElement(node.body);
  if (!isAmbiguous(node)) return times(own, inner);
  if (max > FEW) return WITHOUT_BOUND;
  return times(own, { degree: inner.degree * max, factor: inner.factor ** max });
}

/** Whether what it repeats may find the same text in more than one way, and it repeats it more than once. */
export function isAmbiguous(node: QuantifierNode): boolean {
  const inner = ofElement(node.body);
  const oneWay = inner.degree === 0 && inner.factor === 1;
  return !(oneWay || node.max === 1 || (node.body.type === 'Group' && node.body.atomic) || isDeterministic(node));
}

/**
 * Whether each repetition begins or ends where the text says so: with alternatives told apart by their first
 * character, or with a character that the one repetition within cannot match, as the dot in `(\w+\.)+`.
 */
function isDeterministic({ body }: QuantifierNode): boolean {
  if (body.type !== 'Group' && body.type !== 'CapturingGroup') return false;
  if (body.body.length > 1) {
    const firsts = body.body.map(({ body: [first] }) => (first?.type === 'Character' ? caseless(first.value) : ''));
    const plain = body.body.every((alternative) => alternative.body.every(({ type }) => type === 'Character'));
    return plain && !firsts.includes('') && new Set(firsts).size === firsts.length;
  }
  const elements = body.body[0]!.body;
  const [repetition, ...others] = elements.filter(({ type }) => type === 'Quantifier') as QuantifierNode[];
  if (!repetition || others.length > 0) return false;
  const isSingle = ({ type }: AlternativeElementNode) => ['Character', 'CharacterClass', 'CharacterSet'].includes(type);
  if (!isSingle(repetition.body) || !elements.every((node) => node === repetition || isSingle(node))) return false;
  const matched = singleMatcher(repetition.body);
  return elements.some((node) => node.type === 'Character' && !matched.test(String.fromCodePoint(node.value)));
}

function caseless(point: number): string {
  return String.fromCodePoint(point).toLowerCase();
}

/** Ignores case, lest it finds less than the pattern does. */
function singleMatcher(node: AlternativeElementNode): RegExp {
  const flags = { type: 'Flags', ignoreCase: true } as OnigurumaAst['flags'];
  const { pattern } = generate({ type: 'Regex', body: [{ type: 'Alternative', body: [node] }], flags });
  return toRegExp(pattern, { flags: 'i', target: 'ES2024' });
}
