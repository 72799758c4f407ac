import type { Core } from './core.ts';
import { isLinkValid } from './links.ts';
import type { ApiReply, ApiRequest } from './types.ts';

const GONE = 'This content is no longer available.';
const MEDIA = /^(image|video)\//;

/** What Discord's CDN answers: no token is asked for, the signature in the link is the right to read. */
export async function serveAttachment(core: Core, request: ApiRequest): Promise<ApiReply> {
  const [path = '', query = ''] = request.path.split('?', 2);
  if (request.method !== 'GET' && request.method !== 'HEAD') return page(405, 'Method Not Allowed');
  const isProxy = path.startsWith('/media/');
  const file = isProxy ? path.slice('/media'.length) : path;
  const [, , channelId, id = '', filename] = file.split('/');
  const place = core.world.attachment(id);
  const fits = place && place.channelId === channelId && place.attachment.filename === filename;
  if (!fits || !isLinkValid(core.world.secret, file, new URLSearchParams(query), core.now)) return page(404, GONE);
  const { contentType = 'application/octet-stream' } = place.attachment;
  if (isProxy && !MEDIA.test(contentType)) return page(415, 'Unsupported Media Type');
  const bytes = await core.disk.readBlob(id);
  if (!bytes) return page(404, GONE);
  const headers = {
    'content-type': contentType,
    'content-length': String(bytes.length),
    'content-disposition': `attachment; filename="${filename}"`,
    'cache-control': 'public, max-age=31536000',
  };
  return { status: 200, headers, body: request.method === 'HEAD' ? new Uint8Array() : bytes };
}

function page(status: number, text: string): ApiReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: Buffer.from(text) };
}
