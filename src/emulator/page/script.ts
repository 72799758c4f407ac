/**
 * What runs in the browser: it scrolls to the newest message, loads older ones near the top, and keeps the newest page
 * and the channel list fresh. All HTML comes ready and escaped from the server, so nothing is put together here.
 */
export const SCRIPT = `'use strict';
const EDGE_PX = 600;
/** Messages kept on the page while it stands at the newest; older ones load again when scrolled to. */
const MAX_SHOWN = 500;
const API = '/_emulator/api/';

const channel = document.body.dataset.channel;
const pane = document.getElementById('scroll');
const list = document.getElementById('messages');
const start = document.getElementById('start');
const live = document.getElementById('live');
const channels = document.getElementById('channels');

/** Each message's HTML as it was served, by element id: what tells a changed message from an unchanged one. */
const served = new Map();
let loading = false;
let complete = false;

const order = (id) => BigInt(id.slice(1));
const time = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit' });
const today = new Date(performance.timeOrigin).toDateString();
const date = new Intl.DateTimeFormat([], { dateStyle: 'medium' });

function localTimes(root) {
  for (const element of root.querySelectorAll('time')) {
    const when = new Date(element.dateTime);
    const day = element.className !== 'at' ? '' : when.toDateString() === today ? 'Today at ' : date.format(when) + ', ';
    element.textContent = day + time.format(when);
  }
}

function parse(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  const items = [...template.content.children];
  for (const item of items) {
    served.set(item.id, item.outerHTML);
    localTimes(item);
  }
  return items;
}

const atBottom = () => pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40;
const toBottom = () => { pane.scrollTop = pane.scrollHeight; };

function reached(more) {
  complete = !more;
  start.hidden = more || list.children.length === 0;
}

async function older() {
  const first = list.firstElementChild;
  if (loading || complete || !first) return;
  loading = true;
  try {
    const answer = await fetch(API + 'view?channel=' + channel + '&before=' + order(first.id));
    if (!answer.ok) return;
    const { messages, more } = await answer.json();
    const height = pane.scrollHeight - pane.scrollTop;
    list.prepend(...parse(messages));
    reached(more);
    pane.scrollTop = pane.scrollHeight - height;
  } finally {
    loading = false;
  }
}

/** Brings the part of the list that the newest page covers into line with it. */
function merge(html, more) {
  const before = new Map(served);
  const items = parse(html);
  const fresh = new Set(items.map((item) => item.id));
  const from = items.length > 0 && more ? order(items[0].id) : -1n;
  for (const old of [...list.children]) {
    if (order(old.id) >= from && !fresh.has(old.id)) {
      served.delete(old.id);
      old.remove();
    }
  }
  for (const item of items) {
    const old = document.getElementById(item.id);
    if (!old) list.append(item);
    else if (before.get(item.id) !== served.get(item.id)) old.replaceWith(item);
  }
  if (!more) reached(false);
}

function forgetOldest() {
  while (list.children.length > MAX_SHOWN) {
    served.delete(list.firstElementChild.id);
    list.firstElementChild.remove();
    reached(true);
  }
}

function show(view) {
  const stay = atBottom();
  if (channels.innerHTML !== view.channels) channels.innerHTML = view.channels;
  if (!channel && view.open) return void location.assign('/_emulator/');
  merge(view.messages, view.more);
  if (!stay) return;
  forgetOldest();
  toBottom();
}

/** The stream ends after each answer and is asked again by the browser: two errors in a row mean that nobody answers. */
let source;
function listen() {
  let errors = 0;
  source = new EventSource(API + 'live?channel=' + channel);
  source.onopen = () => { errors = 0; live.textContent = ''; };
  source.onmessage = (event) => show(JSON.parse(event.data));
  source.onerror = () => {
    // The channel is gone: only a refusal ends a stream for good.
    if (source.readyState === EventSource.CLOSED) location.assign('/_emulator/');
    else if (++errors > 1) live.textContent = 'Not connected, trying again';
  };
}

for (const item of list.children) served.set(item.id, item.outerHTML);
localTimes(list);
toBottom();
pane.addEventListener('scroll', () => { if (pane.scrollTop < EDGE_PX) older(); }, { passive: true });
channels.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
document.addEventListener('visibilitychange', () => {
  source.close();
  if (!document.hidden) listen();
});
listen();
`;
