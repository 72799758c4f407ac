/** A link about to expire may do so on the way. */
const MARGIN_MS = 10_000;

/** Whether a signed CDN link has run out: `ex` is its last second, in hexadecimal (docs: reference.mdx). */
export function linkExpired(url: string, now: number): boolean {
  const ex = URL.canParse(url) ? new URL(url).searchParams.get('ex') : null;
  if (ex === null || !/^[0-9a-f]{1,12}$/i.test(ex)) return false;
  return Number.parseInt(ex, 16) * 1000 <= now + MARGIN_MS;
}
