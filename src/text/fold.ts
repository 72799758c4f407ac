/** The dotted and dotless i of Turkish, which fold each to their own small letter. */
const TURKISH: Readonly<Record<string, string>> = { I: 'ı', İ: 'i' };

const ASCII = /^[\0-\x7f]*$/;
const NOT_ASCII = /[^\0-\x7f]/gu;
const ASCII_DIACRITICS = /[\^`]/g;

const folded = new Map<string, string>();
const stripped = new Map<string, string>();

/** In lower case, character by character: Unicode's simple case folding, which never makes two of one. */
export function foldCase(text: string, turkish: boolean): string {
  if (turkish) return text.replace(/[Iİ]/g, (letter) => TURKISH[letter]!).replace(/./gsu, foldOne);
  const lower = text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return ASCII.test(text) ? lower : lower.replace(NOT_ASCII, foldOne);
}

/** Without diacritics, whether they stand alone or in one character with a letter. */
export function stripDiacritics(text: string): string {
  const plain = text.replace(ASCII_DIACRITICS, '');
  return ASCII.test(text) ? plain : plain.replace(NOT_ASCII, stripOne);
}

function foldOne(character: string): string {
  return remembered(folded, character, computeFold);
}

function stripOne(character: string): string {
  return remembered(stripped, character, computeStripped);
}

function remembered(known: Map<string, string>, character: string, compute: (character: string) => string): string {
  let result = known.get(character);
  if (result === undefined) {
    result = compute(character);
    known.set(character, result);
  }
  return result;
}

/** JavaScript folds only within regular expressions, so a candidate is asked whether it is the same letter there. */
function computeFold(character: string): string {
  const upper = single(character.toUpperCase()) ?? character;
  const lower = single(upper.toLowerCase()) ?? character;
  return isSameLetter(character, lower) ? lower : character;
}

function isSameLetter(left: string, right: string): boolean {
  return new RegExp(`^\\u{${left.codePointAt(0)!.toString(16)}}$`, 'iu').test(right);
}

/** As MongoDB's table is made: a character keeps its diacritics where without them it would not be one character. */
function computeStripped(character: string): string {
  if (/^\p{Diacritic}$/u.test(character)) return '';
  const bare = character
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .normalize('NFC');
  return single(bare) ?? character;
}

function single(text: string): string | undefined {
  return [...text].length === 1 ? text : undefined;
}
