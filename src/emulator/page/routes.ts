import { createHash } from 'node:crypto';
import {
  type ApiReply,
  type ApiRequest,
  CHANNEL_TYPE,
  type Channel,
  type EmulatorCore,
  type JsonObject,
  type Mount,
} from '../types.ts';
import { ROOT, renderPage, renderSidebar } from './guild-view.ts';
import { renderMessages, type ShownMessage } from './message-view.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

/** Messages in the first view, and in each page of older ones. */
const PAGE_MESSAGES = 50;

/** Nothing but our own files may load or run, and no other site may frame the page. */
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** How long a browser waits before it asks `live` again. */
const POLL_MS = 1500;

/**
 * The guild as a web page: `/_emulator/[?channel=ID]` and its style and script. For the script,
 * `/_emulator/api/view?channel=ID[&before=ID]` answers `{channels, messages, more, open}` (the first two are HTML), and
 * `/_emulator/api/live?channel=ID` the same as an event stream.
 */
export function guildPage(core: EmulatorCore): Mount {
  return async (request) => {
    const [path = '', query] = request.path.split('?', 2);
    const render = path.startsWith('/_emulator') ? ROUTES[path] : undefined;
    if (!render) return undefined;
    if (request.method !== 'GET' && request.method !== 'HEAD') return reply(405, 'text/plain', 'Method Not Allowed');
    return render(core, new URLSearchParams(query), request);
  };
}

type Render = (core: EmulatorCore, query: URLSearchParams, request: ApiRequest) => ApiReply;

const ROUTES: Readonly<Record<string, Render>> = {
  '/_emulator': page,
  [ROOT]: page,
  [`${ROOT}page.css`]: () => reply(200, 'text/css', STYLE),
  [`${ROOT}page.js`]: () => reply(200, 'text/javascript', SCRIPT),
  [`${ROOT}api/view`]: view,
  [`${ROOT}api/live`]: live,
};

function page(core: EmulatorCore, query: URLSearchParams): ApiReply {
  const guilds = core.guilds();
  const asked = core.channel(query.get('channel') ?? '');
  const guild = guilds.find(({ id }) => id === asked?.guildId) ?? guilds[0];
  const channels = guild ? core.channels(guild.id) : [];
  const open = channels.find(({ id }) => id === asked?.id) ?? latest(channels);
  const messages = open ? newest(core, open.id) : [];
  const shown = { name: guild?.name ?? 'No server', channels, open, messages: renderNewest(messages) };
  return reply(200, 'text/html', renderPage(shown));
}

function view(core: EmulatorCore, query: URLSearchParams): ApiReply {
  const channelId = query.get('channel') ?? '';
  const open = core.channel(channelId);
  const guildId = open?.guildId ?? core.guilds()[0]?.id;
  const before = query.get('before') ?? undefined;
  if ((channelId !== '' && !open) || guildId === undefined) return reply(404, 'text/plain', 'Unknown channel');
  if (before !== undefined && !/^\d{1,20}$/.test(before)) return reply(400, 'text/plain', 'Not a message id');
  const messages = open ? newest(core, open.id, before) : [];
  const channels = core.channels(guildId);
  const body = {
    channels: renderSidebar(channels, open),
    messages: renderNewest(messages),
    more: messages.length > PAGE_MESSAGES,
    open: open?.id ?? latest(channels)?.id,
  };
  return reply(200, 'application/json', JSON.stringify(body));
}

/**
 * The view as one server-sent event, and no event when the browser names it as the last one it saw. The stream ends
 * there: it is in the nature of an EventSource to ask again.
 */
function live(core: EmulatorCore, query: URLSearchParams, request: ApiRequest): ApiReply {
  const { status, headers, body } = view(core, query);
  if (status !== 200) return { status, headers, body };
  const tag = createHash('sha256').update(body).digest('base64url');
  const event = request.headers['last-event-id'] === tag ? '' : `id: ${tag}\ndata: ${Buffer.from(body)}\n`;
  return reply(200, 'text/event-stream', `retry: ${POLL_MS}\n${event}\n`);
}

/** Draws a page; the message beyond it only tells how the oldest one is drawn. */
function renderNewest(messages: readonly ShownMessage[]): string {
  return renderMessages(messages.slice(0, PAGE_MESSAGES), messages[PAGE_MESSAGES]);
}

function newest(core: EmulatorCore, channelId: string, before?: string): readonly ShownMessage[] {
  // One more than is drawn: it says whether the next one starts a group, and that there are more.
  const query = { limit: PAGE_MESSAGES + 1, ...(before === undefined ? {} : { before }) };
  return core.messages(channelId, query).map((message) => shownMessage(core.serializeMessage(message)));
}

/** Discord's JSON, with what the page draws of it made certain. */
function shownMessage(message: JsonObject): ShownMessage {
  const author = message.author as JsonObject;
  const attachments = message.attachments as readonly JsonObject[];
  return {
    id: String(message.id),
    author: { id: String(author.id), username: String(author.username), bot: author.bot === true },
    content: String(message.content),
    timestamp: String(message.timestamp),
    edited_timestamp: typeof message.edited_timestamp === 'string' ? message.edited_timestamp : null,
    attachments: attachments.map(({ filename, size, url }) => ({
      filename: String(filename),
      size: Number(size),
      url: String(url),
    })),
  };
}

/** What opens when nobody says: the channel where something was written last. */
function latest(channels: readonly Channel[]): Channel | undefined {
  const written = ({ lastMessageId }: Channel) => BigInt(lastMessageId ?? 0);
  const rooms = channels.filter(({ type }) => type !== CHANNEL_TYPE.category);
  return rooms.toSorted((a, b) => Number(written(b) - written(a)))[0];
}

function reply(status: number, type: string, text: string): ApiReply {
  const body = Buffer.from(text);
  const headers = { ...SECURITY_HEADERS, 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-cache' };
  return { status, headers, body };
}
