export { createDispatcher } from './dispatcher.ts';
export { codeOf, ERROR_CODES } from './error-codes.ts';
export { type Described, describe, errorReply } from './errors.ts';
export type { Command, Connection, Dispatcher, Message, Reply, ServerInfo, Services } from './types.ts';
