export { ListenError } from './listen-error.ts';
export { ABORT_GRACE_MS, MAX_CONNECTIONS, Server, type ServerOptions, SHUTDOWN_GRACE_MS } from './server.ts';
