/** A request body with the header that describes it. */
export interface EncodedBody {
  readonly contentType: string;
  readonly chunks: readonly Uint8Array[];
}

export interface FilePart {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const encoder = new TextEncoder();

export function jsonBody(value: unknown): EncodedBody {
  return { contentType: 'application/json', chunks: [encoder.encode(JSON.stringify(value))] };
}

/**
 * `multipart/form-data` (RFC 7578) as Discord wants it: a `payload_json` part, then `files[0]`, `files[1]`, ... The files'
 * own arrays are chunks of the result. The boundary must not occur in a file: the caller makes it of enough chance.
 */
export function multipartBody(payload: unknown, files: readonly FilePart[], boundary: string): EncodedBody {
  const chunks: Uint8Array[] = [];
  const head = (disposition: string, type: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: ${type}\r\n\r\n`;
  let text = `${head('name="payload_json"', 'application/json')}${JSON.stringify(payload)}\r\n`;
  files.forEach((file, index) => {
    text += head(`name="files[${index}]"; filename="${file.name}"`, 'application/octet-stream');
    chunks.push(encoder.encode(text), file.bytes);
    text = '\r\n';
  });
  chunks.push(encoder.encode(`${text}--${boundary}--\r\n`));
  return { contentType: `multipart/form-data; boundary=${boundary}`, chunks };
}
