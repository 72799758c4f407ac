import { colourDiff, colourJson } from './code-colours.ts';
import { escapeHtml } from './escape.ts';

/** Nesting beyond this is drawn as plain text, so that no message can exhaust the stack. */
const MAX_DEPTH = 6;

const FENCE = /```(?:([\w+-]*)\n)?([\s\S]*?)```/g;

/** In the order in which Discord tries them; each alternative captures what stands inside its marks. */
const INLINE = new RegExp(
  [
    /\\([!-/:-@[-`{-~])/, // a backslash takes the meaning from the mark after it
    /(?<!`)(?<tick>`+)(?!`)(?<code>[\s\S]*?[^`])\k<tick>(?!`)/,
    /\*\*(?<strong>[\s\S]+?)\*\*(?!\*)/,
    /__(?<u>[\s\S]+?)__(?!_)/,
    /~~(?<s>[\s\S]+?)~~/,
    /\*(?<em>[^\s*](?:[^*]*[^\s*])?)\*/,
    /(?<![A-Za-z0-9_])_(?<em_>[^_]+)_(?![A-Za-z0-9_])/,
    /(?<url>https?:\/\/[^\s<>"'`]*[^\s<>"'`.,:;!?)\]*_~])/,
  ]
    .map((part) => part.source)
    .join('|'),
  'g',
);

/** The subset of Discord's markdown that a database's messages use, as HTML. All text is escaped. */
export function renderMarkdown(text: string): string {
  let html = '';
  let from = 0;
  for (const match of text.matchAll(FENCE)) {
    const [whole, language = '', body = ''] = match;
    if (body.trim() === '') continue;
    html += blocks(text.slice(from, match.index).replace(/\n$/, '')) + fence(language, body.replace(/\n$/, ''));
    from = match.index + whole.length;
    if (text[from] === '\n') from++;
  }
  return html + blocks(text.slice(from));
}

/** Languages of fenced blocks that are drawn in colours. */
const COLOURS: Readonly<Record<string, (text: string) => string>> = { json: colourJson, diff: colourDiff };

function fence(language: string, body: string): string {
  const colour = Object.hasOwn(COLOURS, language) ? COLOURS[language]! : escapeHtml;
  return `<pre tabindex="0"><code>${colour(body)}</code></pre>`;
}

function blocks(text: string): string {
  if (text === '') return '';
  return text
    .split('\n')
    .map((line) => block(line))
    .join('');
}

function block(line: string): string {
  const [, mark, rest] = /^(#{1,3}|-#|>) +(.*)$/.exec(line) ?? [];
  if (mark === '-#') return `<small>${inline(rest!)}</small>`;
  if (mark === '>') return `<blockquote>${inline(rest!)}</blockquote>`;
  // The page's own headings take h1 and h2.
  if (mark !== undefined) return `<h${mark.length + 2}>${inline(rest!)}</h${mark.length + 2}>`;
  return `<p>${inline(line)}</p>`;
}

function inline(text: string, depth = 0): string {
  if (depth > MAX_DEPTH) return escapeHtml(text);
  let html = '';
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    html += escapeHtml(text.slice(from, match.index)) + mark(match, depth + 1);
    from = match.index + match[0].length;
  }
  return html + escapeHtml(text.slice(from));
}

function mark(match: RegExpExecArray, depth: number): string {
  const { code, strong, u, s, em, em_, url } = match.groups ?? {};
  if (code !== undefined) return `<code>${escapeHtml(code)}</code>`;
  if (strong !== undefined) return `<strong>${inline(strong, depth)}</strong>`;
  if (u !== undefined) return `<u>${inline(u, depth)}</u>`;
  if (s !== undefined) return `<s>${inline(s, depth)}</s>`;
  if (em !== undefined || em_ !== undefined) return `<em>${inline(em ?? em_ ?? '', depth)}</em>`;
  if (url !== undefined)
    return `<a href="${escapeHtml(url)}" rel="noreferrer noopener" target="_blank">${escapeHtml(url)}</a>`;
  return escapeHtml(match[1] ?? '');
}
