import { escapeHtml } from './escape.ts';

/** A string (a key when a colon follows), a number, or a word. What matches none of these is punctuation and stays plain. */
const TOKEN = /("(?:[^"\\\n]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

/** JSON as HTML with light colours; text that is not JSON comes through unharmed. */
export function colourJson(text: string): string {
  let html = '';
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [whole, string, colon, number] = match;
    html += escapeHtml(text.slice(from, match.index));
    if (string !== undefined) html += span(colon === undefined ? 's' : 'k', string) + (colon ?? '');
    else html += span(number === undefined ? 'w' : 'n', whole);
    from = match.index + whole.length;
  }
  return html + escapeHtml(text.slice(from));
}

/** Lines that begin with `+` and `-` in their own colours, as Discord draws a `diff` block. */
export function colourDiff(text: string): string {
  const names: Readonly<Record<string, string>> = { '+': 'plus', '-': 'minus' };
  return text
    .split('\n')
    .map((line) => {
      const name = names[line[0] ?? ''];
      return name === undefined ? escapeHtml(line) : span(name, line);
    })
    .join('\n');
}

function span(name: string, text: string): string {
  return `<span class="${name}">${escapeHtml(text)}</span>`;
}
