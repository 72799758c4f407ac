import { CHANNEL_TYPE, type Channel } from '../types.ts';
import { escapeHtml } from './escape.ts';

export interface GuildView {
  readonly name: string;
  readonly channels: readonly Channel[];
  /** The open channel; undefined in a guild without text channels. */
  readonly open: Channel | undefined;
  /** Its newest messages, drawn. */
  readonly messages: string;
}

/** Where the page and its parts are served. */
export const ROOT = '/_emulator/';

/** Each category with its channels in Discord's order; channels without a category come first, under none. */
export function groupChannels(channels: readonly Channel[]): [Channel | undefined, Channel[]][] {
  const inOrder = channels.toSorted((a, b) => a.position - b.position || (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  const rooms = inOrder.filter((channel) => channel.type !== CHANNEL_TYPE.category);
  const categories = inOrder.filter((channel) => channel.type === CHANNEL_TYPE.category);
  const known = new Set(categories.map((category) => category.id));
  const loose = rooms.filter((room) => !known.has(room.parentId ?? ''));
  return [
    ...(loose.length > 0 ? [[undefined, loose] as [undefined, Channel[]]] : []),
    ...categories.map((category): [Channel, Channel[]] => [
      category,
      rooms.filter((room) => room.parentId === category.id),
    ]),
  ];
}

/** The inside of the channel list. */
export function renderSidebar(channels: readonly Channel[], open: Channel | undefined): string {
  if (channels.length === 0) return '<p class="hint">No channels yet.</p>';
  return groupChannels(channels)
    .map(([category, rooms]) => {
      const label = category ? `<h2 id="c${escapeHtml(category.id)}">${escapeHtml(category.name)}</h2>` : '';
      const labelled = category ? ` aria-labelledby="c${escapeHtml(category.id)}"` : ' aria-label="Channels"';
      return `${label}<ul${labelled}>${rooms.map((room) => roomLink(room, room.id === open?.id)).join('')}</ul>`;
    })
    .join('');
}

function roomLink(room: Channel, current: boolean): string {
  const href = `${ROOT}?channel=${encodeURIComponent(room.id)}`;
  return `<li><a href="${escapeHtml(href)}"${current ? ' aria-current="page"' : ''}>${escapeHtml(room.name)}</a></li>`;
}

/** The whole document. It runs no script but `page.js`, and without that it is still a readable page. */
export function renderPage(view: GuildView): string {
  const { open } = view;
  const title = open ? `#${open.name} | ${view.name}` : view.name;
  const topic = open?.topic ? `<p>${escapeHtml(open.topic)}</p>` : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${ROOT}page.css">
<script src="${ROOT}page.js" defer></script>
</head>
<body data-channel="${escapeHtml(open?.id ?? '')}">
<a class="skip" href="#messages">Skip to the messages</a>
<aside>
<header><strong>${escapeHtml(view.name)}</strong></header>
<nav id="channels" aria-label="Channels">${renderSidebar(view.channels, open)}</nav>
<footer>Embedded Discord<small>Nothing here leaves this machine</small></footer>
</aside>
<main>
<header><h1>${escapeHtml(open?.name ?? 'Nothing to show')}</h1>${topic}<span id="live" role="status"></span></header>
<div id="scroll" tabindex="0" role="region" aria-label="Messages"><p id="start" hidden>The beginning of #${escapeHtml(open?.name ?? '')}.</p>
<ol id="messages" aria-live="off">${view.messages}</ol>
<p class="hint" id="empty">${open ? 'No messages here yet.' : 'The first write makes a channel.'}</p>
</div>
</main>
</body>
</html>
`;
}
