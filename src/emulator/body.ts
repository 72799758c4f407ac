import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { apiError, formError } from './errors.ts';
import { Form } from './form.ts';

/** A whole request: the headers of a multipart body count too (docs: reference, uploading files). */
export const MAX_REQUEST_BYTES = 25 * 1024 * 1024;
const MAX_FILE_BYTES = 10 * 1024 * 1024;
export const MAX_FILES = 10;
const MAX_PAYLOAD_JSON_BYTES = 1024 * 1024;
/** Parts beyond the files: `payload_json` and single fields. */
const MAX_FIELDS = 32;

export interface UploadedFile {
  /** `n` of the part's name `files[n]`; what JSON `attachments` refer to. */
  readonly index: string;
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export interface Body {
  readonly form: Form;
  readonly files: readonly UploadedFile[];
}

/** The body of a request as JSON, or as multipart with `payload_json` and `files[n]`. An absent body is `{}`. */
export async function readBody(contentType: string | undefined, bytes: Uint8Array): Promise<Body> {
  if (bytes.length > MAX_REQUEST_BYTES) throw apiError('tooLarge');
  if (contentType?.startsWith('multipart/form-data')) return readMultipart(contentType, bytes);
  return { form: new Form(readJson(contentType, bytes)), files: [] };
}

/** A JSON body whatever its type; `{}` when there is none. */
export function readJson(contentType: string | undefined, bytes: Uint8Array): unknown {
  if (bytes.length === 0) return {};
  if (!contentType?.startsWith('application/json')) {
    const message = "Expected \"Content-Type\" header to be one of {'application/json', 'multipart/form-data'}.";
    throw formError([{ path: [], code: 'CONTENT_TYPE_INVALID', message }]);
  }
  return parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw apiError('invalidJson');
  }
}

async function readMultipart(contentType: string, bytes: Uint8Array): Promise<Body> {
  const files: UploadedFile[] = [];
  const fields: Record<string, unknown> = {};
  let payload: string | undefined;
  let tooLarge = false;
  let tooMany = false;
  await new Promise<void>((resolve, reject) => {
    const invalid = (error: Error) => {
      reject(formError([{ path: [], code: 'MULTIPART_INVALID', message: error.message }]));
    };
    let parser: BusboyInstance;
    try {
      parser = new Busboy({
        headers: { 'content-type': contentType },
        limits: {
          fieldSize: MAX_PAYLOAD_JSON_BYTES,
          fields: MAX_FIELDS,
          files: MAX_FILES,
          fileSize: MAX_FILE_BYTES + 1,
        },
      });
    } catch (error) {
      return invalid(error as Error);
    }
    parser.on('file', (name, stream, filename, _encoding, type) => {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('error', invalid);
      stream.on('end', () => {
        const content = Buffer.concat(pieces);
        tooLarge ||= content.length > MAX_FILE_BYTES;
        const index = /^files\[(\d+)\]$/.exec(name)?.[1] ?? String(files.length);
        files.push({ index, filename: filename ?? 'unknown', contentType: type, bytes: content });
      });
    });
    parser.on('field', (name, value, _nameTruncated, valueTruncated) => {
      tooLarge ||= valueTruncated;
      if (name === 'payload_json') payload = value;
      else fields[name] = value;
    });
    parser.on('filesLimit', () => {
      tooMany = true;
    });
    parser.on('error', (error) => invalid(error as Error));
    parser.on('finish', resolve);
    parser.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  });
  if (tooMany) throw apiError('maxAttachments');
  if (tooLarge) throw apiError('tooLarge');
  return { form: new Form(payload === undefined ? fields : parseJson(payload)), files };
}
