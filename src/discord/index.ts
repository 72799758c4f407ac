export type { GatewayLink, GatewayListener, OpenGateway } from './gateway-link.ts';
export { DISCORD_API_URL, type DiscordStore, type DiscordStoreOptions, openDiscordStore } from './open.ts';
export { inviteUrl } from './permissions.ts';
export type { RestMetrics } from './rest.ts';
export type { LimitMode } from './scheduler.ts';
export { StartError } from './start-checks.ts';
export type { Transport, TransportReply, TransportRequest } from './transport.ts';
