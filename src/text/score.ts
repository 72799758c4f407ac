import type { Doc } from '../bson/index.ts';
import { type TextDefinition, visitTexts } from './definition.ts';
import { tokens } from './tokenizer.ts';

/** What a term gains where a text is this term and nothing else. */
const WHOLE_TEXT_BONUS = 0.1;

/**
 * How much each term counts in a document: the weights of the texts that it stands in, more where a text is short and the
 * term comes often, each time for half as much as the time before.
 */
export function termScores(definition: TextDefinition, doc: Doc): Map<string, number> {
  const scores = new Map<string, number>();
  visitTexts(definition, doc, (text, language, weight) => {
    const counts = new Map<string, number>();
    let total = 0;
    for (const term of tokens(text, language, { filterStopWords: true })) {
      counts.set(term, (counts.get(term) ?? 0) + 1);
      total++;
    }
    for (const [term, count] of counts) {
      const frequency = 2 - 2 ** (1 - count);
      const share = (0.5 * count) / total + 0.5;
      const whole = text.length === term.length && asciiLower(text) === asciiLower(term);
      const bonus = whole ? 1 + WHOLE_TEXT_BONUS : 1;
      scores.set(term, (scores.get(term) ?? 0) + weight * frequency * share * bonus);
    }
    return false;
  });
  return scores;
}

function asciiLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
