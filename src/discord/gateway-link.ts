/** The client's end of one connection to the gateway. */
export interface GatewayLink {
  send(payload: object): void;
  /** The listener hears of it by `closed`, or never where the way is broken. */
  close(code: number): void;
}

export interface GatewayListener {
  /** One payload, whole and parsed. */
  received(payload: unknown): void;
  /** The connection is over, or never came about. Nothing follows. */
  closed(code: number): void;
}

/**
 * The only way to the gateway. Over a socket it is `socketGateway`; with the embedded Discord it is a function call. Nothing
 * is told to the listener before it returns.
 */
export type OpenGateway = (url: string, listener: GatewayListener) => GatewayLink;
