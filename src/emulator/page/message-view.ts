import { escapeHtml, safeUrl } from './escape.ts';
import { renderMarkdown } from './markdown.ts';

/** What the page needs of a Discord message. */
export interface ShownMessage {
  readonly id: string;
  readonly author: { readonly id: string; readonly username: string; readonly bot?: boolean };
  readonly content: string;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly edited_timestamp: string | null;
  readonly attachments: readonly { readonly filename: string; readonly size: number; readonly url: string }[];
}

/** Messages of one author this close together share one heading, as Discord draws them. */
const GROUP_MS = 7 * 60_000;

/** Messages as list items, oldest first; takes them newest first, as the API lists them. `older` comes before them all. */
export function renderMessages(newestFirst: readonly ShownMessage[], older?: ShownMessage): string {
  const messages = newestFirst.toReversed();
  return messages.map((message, at) => renderMessage(message, messages[at - 1] ?? older)).join('');
}

function renderMessage(message: ShownMessage, before: ShownMessage | undefined): string {
  const joined = before !== undefined && sameGroup(before, message);
  const day = before !== undefined && dayOf(before) !== dayOf(message) ? dayOf(message) : undefined;
  return [
    `<li id="m${escapeHtml(message.id)}" class="message${joined ? ' joined' : ''}"${day ? ` data-day="${escapeHtml(day)}"` : ''}>`,
    joined ? clock(message, 'beside') : heading(message),
    `<div class="body">${renderMarkdown(message.content)}${edited(message)}</div>`,
    files(message),
    '</li>',
  ].join('');
}

function sameGroup(before: ShownMessage, message: ShownMessage): boolean {
  const gap = Date.parse(message.timestamp) - Date.parse(before.timestamp);
  return before.author.id === message.author.id && gap < GROUP_MS && dayOf(before) === dayOf(message);
}

function heading({ author, ...message }: ShownMessage): string {
  const hue = Number(BigInt.asUintN(16, /^\d+$/.test(author.id) ? BigInt(author.id) : 0n)) % 360;
  const letter = [...author.username][0]?.toUpperCase() ?? '?';
  return [
    `<span class="face h${Math.floor(hue / 60)}" aria-hidden="true">${escapeHtml(letter)}</span>`,
    `<h2>${escapeHtml(author.username)}${author.bot ? ' <abbr title="application">APP</abbr>' : ''}</h2>`,
    clock(message, 'at'),
  ].join('');
}

function clock(message: { readonly timestamp: string }, kind: string): string {
  const iso = message.timestamp;
  const shown = kind === 'at' ? `${iso.slice(0, 10)} ${iso.slice(11, 16)}` : iso.slice(11, 16);
  return `<time class="${kind}" datetime="${escapeHtml(iso)}" title="${escapeHtml(iso)}">${escapeHtml(shown)}</time>`;
}

function edited(message: ShownMessage): string {
  return message.edited_timestamp === null
    ? ''
    : `<small class="edited" title="${escapeHtml(message.edited_timestamp)}">(edited)</small>`;
}

function files(message: ShownMessage): string {
  if (message.attachments.length === 0) return '';
  const chips = message.attachments.map(
    ({ filename, size, url }) =>
      `<li><a class="file" href="${escapeHtml(safeUrl(url))}" rel="noreferrer" download><span class="name">${escapeHtml(filename)}</span>` +
      `<span class="size">${formatSize(size)}</span></a></li>`,
  );
  return `<ul class="files" aria-label="Attachments">${chips.join('')}</ul>`;
}

/** `512 bytes`, `14.2 KB`, `9.5 MB`: powers of 1024 under the short names, as Discord prints them. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

function dayOf(message: { readonly timestamp: string }): string {
  return message.timestamp.slice(0, 10);
}
