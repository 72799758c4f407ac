import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/base/index.ts';
import { decode } from '../../../src/bson/index.ts';
import { codeOf, describe as describeError, ERROR_CODES, errorReply } from '../../../src/commands/index.ts';
import { failure } from './harness.ts';

describe('the table of error codes', () => {
  it('gives every name its own number', () => {
    const numbers = Object.values(ERROR_CODES);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('knows numbers without a name as locations', () => {
    expect([codeOf('Location40571'), codeOf('DuplicateKey'), codeOf('Location'), codeOf('Nothing')]).toEqual([
      40571,
      11000,
      undefined,
      undefined,
    ]);
  });
});

describe('an error reply', () => {
  it('for what reached no dispatcher has the same fields', () => {
    const reply = decode(errorReply(new CodedError('ProtocolError', 'what is this')));
    expect([...reply.keys()]).toEqual(['ok', 'errmsg', 'code', 'codeName']);
    expect(failure(reply)).toEqual([17, 'ProtocolError', 'what is this']);
  });

  it('says nothing of an unforeseen error but that there was one', () => {
    const described = describeError(new TypeError('token abc'));
    expect(described).toMatchObject({ code: 1, codeName: 'InternalError', internal: true });
    expect(described.errmsg).not.toContain('abc');
  });
});
