import { codePoints, type Form } from './form.ts';

const MAX_CONTENT_CODE_POINTS = 2000;
/** Past this Discord's refusal names this number instead (kimaki#38). */
const SECOND_CONTENT_LIMIT = 4000;

/** Control characters go, apart from tab, line ends, and the NUL and ESC that people have seen survive. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters in question
const CONTROL = /[\u0001-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f-\u009f]/g;
/** Marks that turn the direction of text (api-docs#1193). */
const BIDI = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** The same combining mark over and over (api-docs#1286). */
const REPEATED_MARK = /(\p{M})\1+/gu;

/**
 * What Discord keeps of a message's text. Its list is not published: this does what has been seen (discord-facts 2a),
 * so text that must come back as it went has to be printable ASCII without white space at its ends.
 */
export function cleanContent(text: string): string {
  return text.replace(CONTROL, '').replace(BIDI, '').replace(REPEATED_MARK, '$1').trim();
}

/** Reads and cleans `content`; the limit counts what was sent. */
export function readContent(form: Form): string | undefined {
  const text = form.string('content');
  if (text === undefined) return undefined;
  const length = codePoints(text);
  if (length > MAX_CONTENT_CODE_POINTS) {
    const limit = length > SECOND_CONTENT_LIMIT ? SECOND_CONTENT_LIMIT : MAX_CONTENT_CODE_POINTS;
    return form.fail('content', 'BASE_TYPE_MAX_LENGTH', `Must be ${limit} or fewer in length.`);
  }
  return cleanContent(text);
}

/**
 * A file's name as Discord stores it: ASCII, white space turned to `_`, specials and leading or trailing `_` and `.`
 * dropped. Undefined when nothing is left: such a file gets a random name, and its own becomes the `title`.
 */
export function cleanFilename(name: string): string | undefined {
  const clean = name
    .normalize('NFKD')
    .replace(/[\\/]/g, ' ')
    .trim()
    .replace(/\s+/g, '_')
    .replace(/[^A-Za-z0-9_.-]/g, '')
    .replace(/^[._]+|[._]+$/g, '');
  return clean === '' ? undefined : clean;
}

/** A text channel's name: lower case, blanks to dashes, dash runs collapsed, ASCII punctuation stripped. */
export function cleanChannelName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/\s+/g, '-')
    .replace(/[!-,./:-@[-^`{-~]/g, '')
    .replace(/-{2,}/g, '-');
}
