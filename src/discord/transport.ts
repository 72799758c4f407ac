/** One HTTP request, whole. Bodies are lists of chunks, so that a file's bytes are never copied into a larger buffer. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Absolute. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
}

/** One HTTP reply, whole. A reply of which only a part arrived is a rejection, never a short body. */
export interface TransportReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * The only way out of this room. Over sockets it is `undiciTransport`; with the embedded Discord it is a function call.
 * Rejects when no whole reply came (then the request may or may not have been carried out), or with the signal's reason.
 */
export type Transport = (request: TransportRequest, signal: AbortSignal) => Promise<TransportReply>;
