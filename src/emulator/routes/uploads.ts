import { MAX_FILES, type UploadedFile } from '../body.ts';
import { cleanFilename } from '../content.ts';
import { apiError } from '../errors.ts';
import type { Form } from '../form.ts';
import type { Call } from '../router.ts';
import type { Attachment } from '../types.ts';

const MAX_DESCRIPTION = 1024;
const MAX_FILENAME = 1024;
const RANDOM_NAME_BYTES = 8;

/** Types that Discord guesses from a name; what is not here has the type that came with the file. */
const TYPE_OF_EXTENSION: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8',
  gif: 'image/gif',
  gz: 'application/gzip',
  html: 'text/html; charset=utf-8',
  jpg: 'image/jpeg',
  json: 'application/json; charset=utf-8',
  mp4: 'video/mp4',
  png: 'image/png',
  txt: 'text/plain; charset=utf-8',
  webp: 'image/webp',
  zip: 'application/zip',
};

/** A file that has its place in a message but is not on disk yet. */
export interface Upload {
  readonly attachment: Attachment;
  readonly bytes: Uint8Array;
}

interface Described {
  readonly id: string;
  readonly filename?: string;
  readonly description?: string;
}

/** What JSON `attachments` says: ids of files of this request, or of attachments to keep. */
export function readDescriptions(form: Form): Described[] | undefined {
  return form.forms('attachments', { max: MAX_FILES })?.map((one) => {
    one.required('id');
    const id = one.snowflake('id') ?? '';
    const filename = one.string('filename', { max: MAX_FILENAME });
    const description = one.string('description', { max: MAX_DESCRIPTION });
    return {
      id,
      ...(filename === undefined ? {} : { filename }),
      ...(description === undefined ? {} : { description }),
    };
  });
}

/** Gives every uploaded file its attachment. Without a list of descriptions every file is attached. */
export function planUploads(call: Call, files: readonly UploadedFile[], descriptions: readonly Described[]): Upload[] {
  return files.map((file) => {
    const described = descriptions.find((one) => one.id === file.index);
    const given = described?.filename ?? file.filename;
    const filename = cleanFilename(given);
    const contentType = typeOf(filename, file.contentType);
    const attachment: Attachment = {
      id: call.core.ids.next(),
      filename: filename ?? Buffer.from(call.core.env.random.bytes(RANDOM_NAME_BYTES)).toString('hex'),
      ...(filename === undefined ? { title: given } : {}),
      ...(described?.description === undefined ? {} : { description: described.description }),
      size: file.bytes.length,
      ...(contentType === undefined ? {} : { contentType }),
    };
    return { attachment, bytes: file.bytes };
  });
}

function typeOf(filename: string | undefined, given: string): string | undefined {
  const extension = /\.([A-Za-z0-9]+)$/.exec(filename ?? '')?.[1]?.toLowerCase() ?? '';
  return TYPE_OF_EXTENSION[extension] ?? (given === 'application/octet-stream' ? undefined : given);
}

/** Puts the files on disk, before any message names them. */
export async function storeUploads({ core }: Call, uploads: readonly Upload[]): Promise<void> {
  for (const { attachment, bytes } of uploads) await core.disk.writeBlob(attachment.id, bytes);
}

/** For a message that came to nothing after all. */
export async function dropUploads({ core }: Call, uploads: readonly Upload[]): Promise<void> {
  for (const { attachment } of uploads) await core.dropBlob(attachment.id);
}

export function checkFileCount(count: number): void {
  if (count > MAX_FILES) throw apiError('maxAttachments');
}
