import { CodedError } from '../base/index.ts';

/** Why the address cannot be listened on, in words for whoever started the server. */
export class ListenError extends CodedError {
  constructor(address: string, cause: NodeJS.ErrnoException) {
    super(cause.code ?? 'Unknown', `cannot listen on ${address}: ${explain(cause)}`);
  }
}

function explain(cause: NodeJS.ErrnoException): string {
  switch (cause.code) {
    case 'EADDRINUSE':
      return 'another process already listens there; stop it or choose another port (0 takes a free one)';
    case 'EACCES':
      return 'the system does not allow this user to take that port; choose one above 1023';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is not known';
    default:
      return cause.message;
  }
}
