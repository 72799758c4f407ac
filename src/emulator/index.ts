export { DirectoryInUseError } from '../base/index.ts';
export { type Disk, MemoryDisk } from './disk.ts';
export { type Credentials, Emulator, type EmulatorOptions } from './emulator.ts';
export type { Fault } from './faults.ts';
export { FileDisk } from './file-disk.ts';
export { Gateway, type GatewayOptions } from './gateway.ts';
export type { GatewayConnection } from './gateway-connection.ts';
export type { GatewayLink, Payload } from './gateway-protocol.ts';
export { type GatewayServer, serveGateway } from './gateway-socket.ts';
export { type EmulatorServer, type HttpOptions, listen } from './http.ts';
export type { NewBot } from './landlord.ts';
export { guildPage } from './page/routes.ts';
export { PERMISSION } from './permissions.ts';
export { openGateway, serveEmulator } from './serve.ts';
export {
  type ApiReply,
  type ApiRequest,
  type CoreEvent,
  type EmulatorCore,
  type EventSource,
  type LimitMode,
  LostReplyError,
} from './types.ts';
