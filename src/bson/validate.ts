import type { Buffer } from 'node:buffer';
import { Binary } from 'bson';
import { oldBinaryStart, scopedCodeSplit } from './decode.ts';
import { checkDepth, invalid } from './invalid.ts';
import { TYPE } from './types.ts';
import { asBuffer, checkUtf8 } from './utf8.ts';
import { cstringEnd, FieldWalker } from './walk.ts';

/** Accepts exactly what `decode` accepts, without building anything. Throws `InvalidBSON`. */
export function validate(bytes: Uint8Array): void {
  const buffer = asBuffer(bytes);
  const walker = new FieldWalker(buffer);
  if (walker.end !== buffer.length) invalid(`${buffer.length - walker.end} bytes follow the document`);
  validateFields(walker, 0);
}

function validateFields(walker: FieldWalker, depth: number): void {
  while (walker.next()) {
    checkUtf8(walker.bytes, walker.nameStart, walker.nameEnd);
    validateValue(walker.bytes, walker.type, walker.valueStart, walker.valueEnd, depth);
  }
}

function validateNested(bytes: Buffer, start: number, end: number, depth: number): void {
  checkDepth(depth);
  validateFields(new FieldWalker(bytes, start, end), depth + 1);
}

/** The walk has proved the size; what is left is what stands inside. */
function validateValue(bytes: Buffer, type: number, start: number, end: number, depth: number): void {
  switch (type) {
    case TYPE.string:
    case TYPE.javascript:
    case TYPE.symbol:
      checkUtf8(bytes, start + 4, end - 1);
      break;
    case TYPE.object:
    case TYPE.array:
      validateNested(bytes, start, end, depth);
      break;
    case TYPE.binData:
      if (bytes[start + 4] === Binary.SUBTYPE_BYTE_ARRAY) oldBinaryStart(bytes, start, end);
      break;
    case TYPE.bool:
      if (bytes[start]! > 1) invalid('a boolean is neither 0 nor 1');
      break;
    case TYPE.regex: {
      const patternEnd = cstringEnd(bytes, start, end);
      checkUtf8(bytes, start, patternEnd);
      checkUtf8(bytes, patternEnd + 1, end - 1);
      break;
    }
    case TYPE.dbPointer:
      checkUtf8(bytes, start + 4, end - 13);
      break;
    case TYPE.javascriptWithScope: {
      const scopeStart = scopedCodeSplit(bytes, start, end);
      checkUtf8(bytes, start + 8, scopeStart - 1);
      validateNested(bytes, scopeStart, end, depth);
    }
  }
}
