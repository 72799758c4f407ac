import { Buffer } from 'node:buffer';
import { Binary } from '../../bson/index.ts';
import { conversionFailure } from '../error.ts';
import { format } from '../value.ts';

/** How a binary value is written; `auto` only on the way to a text. */
export const BINARY_FORMATS = ['auto', 'base64', 'base64url', 'hex', 'utf8', 'uuid'] as const;
export type BinaryFormat = (typeof BINARY_FORMATS)[number];

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A binary value of its text. Throws ConversionFailure. */
export function textToBinary(text: string, textFormat: BinaryFormat, subtype: number): Binary {
  const fail = (reason: string) =>
    conversionFailure(`Failed to parse BinData '${text}' in $convert with no onError value: ${reason}`);
  if ((textFormat === 'uuid') !== (subtype === Binary.SUBTYPE_UUID)) {
    throw fail("Only the 'uuid' format is allowed with the UUID subtype");
  }
  switch (textFormat) {
    case 'base64':
      if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
        throw fail('Input is not a valid base64 string.');
      }
      return new Binary(Buffer.from(text, 'base64'), subtype);
    case 'base64url':
      if (!/^[A-Za-z0-9_-]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1) {
        throw fail('Input is not a valid base64url string.');
      }
      return new Binary(Buffer.from(text, 'base64url'), subtype);
    case 'hex':
      if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw fail('Input is not a valid hexadecimal string.');
      return new Binary(Buffer.from(text, 'hex'), subtype);
    case 'utf8':
      return new Binary(Buffer.from(text), subtype);
    case 'uuid':
      if (!UUID.test(text)) throw fail(`Invalid UUID string: ${text}`);
      return new Binary(Buffer.from(text.replaceAll('-', ''), 'hex'), subtype);
    case 'auto':
      throw fail("Invalid format 'auto'");
  }
}

/** The text of a binary value. Throws ConversionFailure. */
export function binaryToText(value: Binary, textFormat: BinaryFormat): string {
  const bytes = Buffer.from(value.value());
  const isUuid = value.sub_type === Binary.SUBTYPE_UUID && bytes.length === 16;
  const fail = (reason: string) =>
    conversionFailure(`Failed to convert '${format(value)}' to string in $convert with no onError value: ${reason}`);
  switch (textFormat) {
    case 'auto':
      return isUuid ? uuidText(bytes) : bytes.toString('base64');
    case 'base64':
      return bytes.toString('base64');
    case 'base64url':
      return bytes.toString('base64url');
    case 'hex':
      return bytes.toString('hex').toUpperCase();
    case 'utf8':
      try {
        return UTF8.decode(bytes);
      } catch {
        throw fail('BinData does not represent a valid UTF-8 string');
      }
    case 'uuid':
      if (!isUuid) throw fail('BinData does not represent a valid UUID');
      return uuidText(bytes);
  }
}

function uuidText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
