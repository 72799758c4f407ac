import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { assert, CodedError, type Random } from '../base/index.ts';
import type { ChannelId } from '../store/index.ts';
import { check } from './record-error.ts';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
/** What GCM takes as it is (NIST SP 800-38D, 5.2.1.1). */
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_BYTES = 4;
const KEYS_MAX = 64;
/** What HKDF derives is told apart by these. Written into channels by their results, so never changed. */
const INFO_KEY_ID = 'discodb key id';
const INFO_CHANNEL = 'discodb channel ';
const HEX_KEY = /^[0-9a-f]{64}$/i;
const BASE64_KEY = /^[A-Za-z0-9+/_-]{43}=?$/;

/** Seals the payloads of one channel, and opens what any of its owner's keys has sealed there. */
export interface Sealer {
  /** Names the key that seals, without telling anything of it. */
  readonly keyId: string;
  /** `header` is not hidden, but whoever opens needs the same one. */
  seal(header: string, payload: Uint8Array): Uint8Array;
  /** Throws MissingKeyError where the key is not known, RecordError where anything was changed. */
  open(keyId: string, header: string, sealed: readonly Uint8Array[]): Uint8Array;
}

/** What is asked for was sealed with a key that this process was not given. */
export class MissingKeyError extends CodedError {
  constructor(keyId: string) {
    super(
      'OperationFailed',
      `The data is sealed with the encryption key ${keyId}, which was not given (--encryption-key-file FILE, with all ` +
        'keys that are still in use).',
    );
  }
}

/** The keys of a deployment. The first seals, all of them open. */
export class KeyRing {
  /** Of the key that seals. */
  readonly keyId: string;
  readonly #keys: ReadonlyMap<string, Uint8Array>;

  private constructor(keys: readonly Uint8Array[]) {
    this.#keys = new Map(keys.map((key) => [derive(key, INFO_KEY_ID, KEY_ID_BYTES).toString('hex'), key]));
    const [first] = this.#keys.keys();
    assert(first, 'a key ring holds a key');
    this.keyId = first;
  }

  /** One key a line, 32 bytes in hex or base64; empty lines and what follows a `#` are passed over. */
  static parse(text: string): KeyRing {
    const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
    const keys = lines.flatMap((line, at) => (line === '' ? [] : [parseKey(line, at + 1)]));
    if (keys.length === 0) throw new CodedError('BadValue', 'it holds no key');
    if (keys.length > KEYS_MAX) throw new CodedError('BadValue', `it holds more than ${KEYS_MAX} keys`);
    return new KeyRing(keys);
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  /**
   * Every channel has keys of its own, so that a record opens nowhere but where it was written, and the bound on random
   * IVs holds for each channel by itself.
   */
  forChannel(channel: ChannelId, random: Random): Sealer {
    const derived = new Map<string, Buffer>();
    const keyOf = (keyId: string) => {
      const known = derived.get(keyId);
      if (known) return known;
      const master = this.#keys.get(keyId);
      if (!master) throw new MissingKeyError(keyId);
      const key = derive(master, INFO_CHANNEL + channel, KEY_BYTES);
      derived.set(keyId, key);
      return key;
    };
    const { keyId } = this;
    return {
      keyId,
      seal: (header, payload) => seal(keyOf(keyId), random.bytes(IV_BYTES), header, payload),
      open: (id, header, sealed) => open(keyOf(id), header, sealed),
    };
  }
}

/** Throws MissingKeyError unless the key is in the ring. */
export function requireKey(keys: KeyRing | undefined, keyId: string): void {
  if (!keys?.has(keyId)) throw new MissingKeyError(keyId);
}

function seal(key: Buffer, iv: Uint8Array, header: string, payload: Uint8Array): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(header, 'latin1'));
  return Buffer.concat([iv, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Buffer, header: string, chunks: readonly Uint8Array[]): Uint8Array {
  const sealed = Buffer.concat(chunks);
  check(sealed.length >= IV_BYTES + TAG_BYTES, 'a sealed payload is too short');
  const [iv, tag] = [sealed.subarray(0, IV_BYTES), sealed.subarray(-TAG_BYTES)];
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(header, 'latin1')).setAuthTag(tag);
  const payload = decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES));
  check(isAuthentic(decipher), 'the seal is broken: header or payload are not as they were written');
  return payload;
}

/** `final` throws where the tag does not fit, and has no error of its own for it. */
function isAuthentic(decipher: { final(): Buffer }): boolean {
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

function parseKey(line: string, at: number): Uint8Array {
  if (HEX_KEY.test(line)) return Buffer.from(line, 'hex');
  if (BASE64_KEY.test(line)) return Buffer.from(line, 'base64');
  throw new CodedError(
    'BadValue',
    `line ${at} is no key of 32 bytes in hex or base64 (make one: openssl rand -hex 32)`,
  );
}

/** HKDF (RFC 5869) with SHA-256 and no salt: the keys are random already. */
function derive(key: Uint8Array, info: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, new Uint8Array(0), info, length));
}
