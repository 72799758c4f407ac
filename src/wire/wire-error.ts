import { CodedError } from '../base/index.ts';
import type { ReplyTo } from './types.ts';

/**
 * Bytes that are no message. Where MongoDB closes the connection (its `ConnectionFatalMessageParseError` category, a
 * bad header, a bad compressed body), `fatal` is true. Else the client is told at `replyTo`, or not at all when it
 * asked for no reply.
 */
export class WireError extends CodedError {
  readonly fatal: boolean;
  readonly replyTo: ReplyTo | undefined;
  /** Sent as it is before the connection is closed, to a client of another protocol. */
  readonly farewell: Uint8Array | undefined;

  private constructor(error: CodedError, fatal: boolean, replyTo?: ReplyTo, farewell?: Uint8Array) {
    super(error.codeName, error.message);
    this.fatal = fatal;
    this.replyTo = replyTo;
    this.farewell = farewell;
  }

  static fatal(codeName: string, message: string, farewell?: Uint8Array): WireError {
    return new WireError(new CodedError(codeName, message), true, undefined, farewell);
  }

  static answerable(error: CodedError, replyTo: ReplyTo | undefined): WireError {
    return new WireError(error, false, replyTo);
  }
}
