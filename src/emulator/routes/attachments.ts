import { formError } from '../errors.ts';
import { signLink } from '../links.ts';
import type { Call, Route } from '../router.ts';

const MAX_URLS = 50;

export const attachmentRoutes: readonly Route[] = [
  { method: 'POST', path: '/attachments/refresh-urls', handle: refreshUrls },
];

/** Takes links that are expired or were never signed; gives them signed for now. */
async function refreshUrls(call: Call) {
  const { core } = call;
  const { form } = await call.body();
  form.required('attachment_urls');
  const urls = form.strings('attachment_urls') ?? [];
  if (urls.length < 1 || urls.length > MAX_URLS) {
    form.fail('attachment_urls', 'BASE_TYPE_BAD_LENGTH', `Must be between 1 and ${MAX_URLS} in length.`);
  }
  form.check();
  const refreshed = urls.map((original, at) => {
    const [, channelId, id] = /\/attachments\/(\d+)\/(\d+)\//.exec(original) ?? [];
    const place = core.world.attachment(id ?? '');
    if (place && place.channelId === channelId) {
      return {
        original,
        refreshed: core.serialize.publicUrl + signLink(core.world.secret, channelId, place.attachment, core.now),
      };
    }
    if (id !== undefined) return { original, refreshed: original };
    const path = ['attachment_urls', String(at)];
    throw formError([{ path, code: 'URL_TYPE_INVALID_URL', message: 'Not a well formed URL.' }]);
  });
  return { status: 200, body: { refreshed_urls: refreshed } };
}
