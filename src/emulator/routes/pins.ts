import { packMessage } from '../change.ts';
import { apiError } from '../errors.ts';
import { PERMISSION } from '../permissions.ts';
import type { Call, Route } from '../router.ts';
import { isArchived, timestamp } from '../serialize.ts';
import type { Channel, Message } from '../types.ts';
import { existingMessage, may, messageChannel, permittedChannel } from './access.ts';
import { commitMessage, systemMessage } from './message-create.ts';
import { shown, updateEvent } from './messages.ts';

const MAX_PINS = 250;
/** The system message that tells of a pin. */
const PIN_ADDED = 6;

/** Pins, under the paths of today and the older ones that libraries still use. */
export const pinRoutes: readonly Route[] = ['/channels/:channel/messages/pins', '/channels/:channel/pins'].flatMap(
  (path): Route[] => [
    { method: 'GET', path, handle: path.endsWith('/messages/pins') ? pagePins : listPins },
    { method: 'PUT', path: `${path}/:message`, handle: (call) => setPin(call, true) },
    { method: 'DELETE', path: `${path}/:message`, handle: (call) => setPin(call, false) },
  ],
);

function listPins(call: Call) {
  return { status: 200, body: pinned(call).map((message) => shown(call, message)) };
}

function pagePins(call: Call) {
  const items = pinned(call).map((message) => ({
    pinned_at: call.core.world.channels.get(message.channelId)?.lastPinTimestamp,
    message: shown(call, message),
  }));
  return { status: 200, body: { items, has_more: false } };
}

/** Newest first. */
function pinned(call: Call): Message[] {
  const channel = messageChannel(call, call.params.channel!);
  if (!may(call, channel.id, PERMISSION.readMessageHistory)) return [];
  return [...call.core.world.messagesOf(channel.id)].filter((message) => message.pinned).reverse();
}

function setPin(call: Call, pin: boolean) {
  const { core } = call;
  const channel = messageChannel(call, call.params.channel!);
  permittedChannel(call, channel.id, PERMISSION.pinMessages);
  const message = existingMessage(call, channel.id, call.params.message!);
  if (isArchived(channel, core.now)) throw apiError('threadArchived');
  if (message.pinned === pin) return { status: 204 };
  const count = [...core.world.messagesOf(channel.id)].filter((one) => one.pinned).length;
  if (pin && count >= MAX_PINS) throw apiError('maxPins');
  const changed: Message = { ...message, pinned: pin };
  const marked: Channel = { ...channel, lastPinTimestamp: pin ? timestamp(core.now) : channel.lastPinTimestamp };
  core.commit(
    [
      { op: 'message', message: packMessage(changed) },
      { op: 'channel', channel: marked },
    ],
    () => [
      updateEvent(call, changed),
      core.channelEvent('CHANNEL_PINS_UPDATE', channel.guildId, channel.id, {
        guild_id: channel.guildId,
        channel_id: channel.id,
        last_pin_timestamp: marked.lastPinTimestamp,
      }),
    ],
  );
  if (pin)
    commitMessage(
      call,
      systemMessage(call, channel.id, {
        type: PIN_ADDED,
        content: '',
        reference: { messageId: message.id, channelId: channel.id },
      }),
    );
  return { status: 204 };
}
