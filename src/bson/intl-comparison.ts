import { CodedError } from '../base/index.ts';
import { intlLocale } from './collation-locales.ts';
import type { CollationSpec } from './collation-spec.ts';
import { compareText } from './compare.ts';

type Comparison = (a: string, b: string) => number;
type Sensitivity = 'base' | 'accent' | 'case' | 'variant';

/** One that is made takes ten thousand times as long as one comparison. */
const made = new Map<string, Comparison>();
const MADE_MAX = 100;

/**
 * The order that a collation asks for, made of orders that Intl has. Intl decides by one of four sensitivities, always
 * level by level; what else ICU can do is decided in between: the case level, accents from the end, punctuation that
 * counts last, and the texts themselves. Throws NotImplemented for an order that ICU has no more.
 */
export function intlComparison(spec: CollationSpec): Comparison {
  const name = JSON.stringify(spec);
  let found = made.get(name);
  if (!found) {
    found = comparisonOf(spec);
    if (made.size >= MADE_MAX) made.clear();
    made.set(name, found);
  }
  return found;
}

function comparisonOf(spec: CollationSpec): Comparison {
  const levels = levelsOf(spec);
  const first = levels[0]!;
  if (levels.length === 1) return first;
  return (a, b) => {
    if (a === b) return 0;
    for (const level of levels) {
      const order = level(a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function levelsOf(spec: CollationSpec): Comparison[] {
  const { strength, caseLevel, backwards } = spec;
  const shifted = spec.alternate === 'shifted';
  const at = (sensitivity: Sensitivity) => level(spec, sensitivity);
  // A collator of Intl decides on its level and on all before it, so only what stands between two of them needs several.
  const levels: Comparison[] = [];
  if (strength === 1) levels.push(at(caseLevel ? 'case' : 'base'));
  else {
    if (backwards && !isNatively(spec)) levels.push(at('base'), accentsFromTheEnd(at('accent')));
    if (caseLevel) levels.push(...(levels.length > 0 ? [] : [at('accent')]), at('case'));
    if (strength >= 3) levels.push(at('variant'));
    else if (levels.length === 0) levels.push(at('accent'));
  }
  if (strength >= 4 && shifted) levels.push(compareVariables(spec));
  if (strength >= 4 && /^ja\b/.test(spec.locale)) levels.push(compareKana);
  if (strength === 5) levels.push((a, b) => compareText(a.normalize('NFD'), b.normalize('NFD')));
  return levels;
}

/** Only Canadian French takes accents from the end, and cannot be told not to. */
function isNatively({ locale }: CollationSpec): boolean {
  return locale === 'fr_CA';
}

function level(spec: CollationSpec, sensitivity: Sensitivity): Comparison {
  const forwards = isNatively(spec) && !spec.backwards ? 'fr' : spec.locale;
  const onlySpaces = spec.alternate === 'shifted' && spec.maxVariable === 'space';
  const shifts = spec.alternate === 'shifted' && !onlySpaces;
  const intl = intlLocale(forwards);
  if (!intl) throw new CodedError('NotImplemented', `the ICU of DiscoDB does not have the order '${spec.locale}'`);
  if (spec.locale === SHIFTED && !shifts) {
    throw new CodedError('NotImplemented', `the order '${spec.locale}' of DiscoDB always passes over punctuation`);
  }
  const { compare } = new Intl.Collator(intl.tag, {
    usage: intl.usage,
    sensitivity,
    numeric: spec.numericOrdering,
    caseFirst: spec.caseFirst === 'off' ? 'false' : spec.caseFirst,
    ignorePunctuation: shifts,
  });
  return onlySpaces ? (a, b) => compare(a.replace(SPACES, NOTHING), b.replace(SPACES, NOTHING)) : compare;
}

/** Whose punctuation Intl does not let count. */
const SHIFTED = 'th';

/** A character that no order counts. Put for what is passed over, it keeps apart the digits of two numbers. */
const NOTHING = '\u0001';
/** What `maxVariable: 'space'` passes over, with the marks above it: the space that breaks no line counts there, as ICU 57 has it. */
const SPACES = /(?!\u00a0)\p{White_Space}\p{M}*/gu;
/** The same for `punct`. */
const PUNCTUATION = /[\p{White_Space}\p{P}]\p{M}*/gu;

/** Of texts with the same base characters: the last one that carries another accent decides. */
function accentsFromTheEnd(accent: Comparison): Comparison {
  return (a, b) => {
    const left = characters(a);
    const right = characters(b);
    if (left.length !== right.length) return accent(a, b);
    for (let at = left.length - 1; at >= 0; at--) {
      const order = accent(left[at]!, right[at]!);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** Base characters, each with the marks above it. */
function characters(text: string): readonly string[] {
  return text.match(/\P{M}?\p{M}*/gsu) ?? [];
}

/**
 * The fourth level, of texts that are the same but for spaces and punctuation: these count now, each below every other
 * character.
 */
function compareVariables(spec: CollationSpec): Comparison {
  const variable = spec.maxVariable === 'space' ? SPACES : PUNCTUATION;
  // No language moves them.
  const order = level({ ...spec, locale: 'en', alternate: 'non-ignorable' }, 'base');
  const counts = ({ text }: Piece) => order(text, '') !== 0;
  return (a, b) => {
    const left = pieces(a, variable).filter(counts);
    const right = pieces(b, variable).filter(counts);
    for (let at = 0; at < left.length && at < right.length; at++) {
      const [mine, yours] = [left[at]!, right[at]!];
      if (mine.variable !== yours.variable) return mine.variable ? -1 : 1;
      if (!mine.variable) continue;
      const found = order(mine.text, yours.text);
      if (found !== 0) return found;
    }
    return left.length - right.length;
  };
}

interface Piece {
  readonly text: string;
  readonly variable: boolean;
}

/** A text taken apart into its characters, and whether each is variable. */
function pieces(text: string, variable: RegExp): Piece[] {
  const alone = new RegExp(`^(?:${variable.source})$`, 'u');
  return characters(text)
    .filter((piece) => piece !== '')
    .map((piece) => ({ text: piece, variable: alone.test(piece) }));
}

/** The fourth level of Japanese, of texts that are the same but for the kind of their kana: Hiragana comes first. */
function compareKana(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => (text.match(KANA) ?? []).map((kana) => HIRAGANA.test(kana)));
  const differs = left!.findIndex((isHiragana, at) => isHiragana !== right![at]);
  return differs === -1 ? 0 : left![differs] ? -1 : 1;
}

const HIRAGANA = /\p{sc=Hira}/u;
const KANA = /[\p{sc=Hira}\p{sc=Kana}]/gu;
