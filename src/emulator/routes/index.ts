import type { Route } from '../router.ts';
import { attachmentRoutes } from './attachments.ts';
import { channelRoutes } from './channels.ts';
import { messageRoutes } from './messages.ts';
import { overwriteRoutes } from './overwrites.ts';
import { pinRoutes } from './pins.ts';
import { reactionRoutes } from './reactions.ts';
import { threadRoutes } from './threads.ts';
import { userRoutes } from './users.ts';

/** Every route but those of the gateway, literal paths above patterns. */
export const routes: readonly Route[] = [
  ...userRoutes,
  ...channelRoutes,
  ...overwriteRoutes,
  ...pinRoutes,
  ...messageRoutes,
  ...reactionRoutes,
  ...threadRoutes,
  ...attachmentRoutes,
];
