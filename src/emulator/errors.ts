import type { Json, JsonObject } from './types.ts';

/** Every error the emulator answers with: code, HTTP status, Discord's text (topics/opcodes-and-status-codes). */
const ERRORS = {
  unknownChannel: [10003, 404, 'Unknown Channel'],
  unknownGuild: [10004, 404, 'Unknown Guild'],
  unknownMember: [10007, 404, 'Unknown Member'],
  unknownMessage: [10008, 404, 'Unknown Message'],
  unknownOverwrite: [10009, 404, 'Unknown Overwrite'],
  unknownUser: [10013, 404, 'Unknown User'],
  unknownEmoji: [10014, 400, 'Unknown Emoji'],
  maxPins: [30003, 400, 'Maximum number of pins reached for the channel (250)'],
  maxReactions: [30010, 400, 'Maximum number of reactions reached (20)'],
  maxChannels: [30013, 400, 'Maximum number of guild channels reached (500)'],
  maxAttachments: [30015, 400, 'Maximum number of attachments in a message reached (10)'],
  maxCategories: [30030, 400, 'Maximum number of server categories has been reached (50)'],
  tooLarge: [40005, 413, 'Request entity too large'],
  oneParentChange: [40009, 400, 'Only one channel may change its parent in a request'],
  edgeBlocked: [40333, 403, 'internal network error'],
  missingAccess: [50001, 403, 'Missing Access'],
  notAuthor: [50005, 403, 'Cannot edit a message authored by another user'],
  emptyMessage: [50006, 400, 'Cannot send an empty message'],
  missingPermissions: [50013, 403, 'Missing Permissions'],
  bulkDeleteCount: [
    50016,
    400,
    'Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages to delete',
  ],
  systemMessage: [50021, 403, 'Cannot execute action on a system message'],
  wrongChannelType: [50024, 400, 'Cannot execute action on this channel type'],
  tooOldForBulkDelete: [50034, 400, 'A message provided was too old to bulk delete'],
  invalidForm: [50035, 400, 'Invalid Form Body'],
  invalidVersion: [50041, 400, 'Invalid API version'],
  threadArchived: [50083, 400, 'Thread is archived'],
  invalidJson: [50109, 400, 'The request body contains invalid JSON.'],
  threadExists: [160004, 400, 'A thread has already been created for this message'],
  threadLocked: [160005, 403, 'Thread is locked'],
  maxThreads: [160006, 400, 'Maximum number of active threads reached'],
} as const satisfies Record<string, readonly [number, number, string]>;

export type ErrorName = keyof typeof ERRORS;

/** An answer that is an error; a route throws it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly body: JsonObject;

  constructor(status: number, body: JsonObject & { readonly message: string }) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

export function apiError(name: ErrorName): ApiError {
  const [code, status, message] = ERRORS[name];
  return new ApiError(status, { message, code });
}

/** What Discord says where it has no code of its own: `{"message": "404: Not Found", "code": 0}`. */
export function bareError(status: number): ApiError {
  return new ApiError(status, { message: `${status}: ${STATUS_TEXT[status] ?? 'Error'}`, code: 0 });
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

export interface FieldError {
  /** Keys and indices down to the field; empty for the body itself. */
  readonly path: readonly string[];
  readonly code: string;
  readonly message: string;
}

/** 50035 with its tree: keys and indices down to `{"_errors": [{code, message}]}`. */
export function formError(errors: readonly FieldError[]): ApiError {
  const [code, status, message] = ERRORS.invalidForm;
  const tree: Record<string, Json> = {};
  for (const { path, ...error } of errors) {
    let node = tree;
    for (const key of path) {
      const child = (node[key] ?? {}) as Record<string, Json>;
      node[key] = child;
      node = child;
    }
    const list = (node._errors ?? []) as readonly Json[];
    node._errors = [...list, error];
  }
  return new ApiError(status, { message, code, errors: tree });
}
