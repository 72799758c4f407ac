/** The locales that MongoDB's ICU has rules for, with the kinds of order that a locale has besides its own. */
const LOCALES = `af am ar:compat as az be bg bn:traditional bo bs bs_Cyrl ca chr cs cy da de:phonebook de_AT:phonebook dsb
  dz ee el en en_US en_US_POSIX eo es:traditional et fa fa_AF fi:traditional fil fo fr fr_CA ga gl gu ha haw he hi hr
  hsb hu hy id ig is it ja:unihan ka kk kl km kn:traditional ko:searchjl,unihan kok ky lb lkt ln:phonetic lo lt lv mk ml
  mn mr ms mt my nb ne nl nn om or pa pl ps pt ro ru se si:dictionary sk sl smn sq sr sr_Latn sv sw ta te th to tr ug uk
  ur uz vi:traditional wae yi yo zh:big5han,gb2312han,stroke,unihan,zhuyin
  zh_Hant:big5han,gb2312han,pinyin,unihan,zhuyin zu`;

/** Those that ICU has for every locale. */
const COMMON_VARIANTS = ['search', 'eor', 'emoji'];

/** Whether a kind of order is the same for every language that has none of that kind of its own. */
export function isShared(variant: string | undefined): boolean {
  return variant !== undefined && COMMON_VARIANTS.includes(variant);
}

const VARIANTS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  LOCALES.split(/\s+/).map((entry) => {
    const [locale = '', own] = entry.split(':');
    return [locale, new Set([...COMMON_VARIANTS, ...(own?.split(',') ?? [])])];
  }),
);

/** Unicode's short names of them, where they differ. */
const SHORT: ReadonlyMap<string, string> = new Map([
  ['phonebook', 'phonebk'],
  ['traditional', 'trad'],
  ['dictionary', 'dict'],
]);

/** ICU has dropped these. */
const GONE: ReadonlySet<string> = new Set(['big5han', 'gb2312han']);

/** The locale that ICU would take for what was asked for: the same text if it has it, undefined if it has nothing like it. */
export function validLocale(asked: string): string | undefined {
  const [name = '', keywords] = asked.split('@', 2);
  const found = baseLocale(name);
  const variant = /^collation=(\w+)$/.exec(keywords ?? '')?.[1];
  return found && variant && VARIANTS.get(found)!.has(variant) ? `${found}@collation=${variant}` : found;
}

function baseLocale(name: string): string | undefined {
  const parts = name.split(/[-_]/).map((part, at) => canonicalPart(part, at === 0));
  while (parts.length > 0) {
    const candidate = parts.join('_');
    if (VARIANTS.has(candidate)) return candidate;
    parts.pop();
  }
  return undefined;
}

/** `en`, `Latn`, `US`. */
function canonicalPart(part: string, first: boolean): string {
  if (first) return part.toLowerCase();
  return part.length === 4 ? part.charAt(0).toUpperCase() + part.slice(1).toLowerCase() : part.toUpperCase();
}

/** What `Intl` calls a valid locale; undefined where it does not have the order. */
export function intlLocale(locale: string): { readonly tag: string; readonly usage: 'sort' | 'search' } | undefined {
  const [name = '', keywords] = locale.split('@collation=', 2);
  const tag = name === 'en_US_POSIX' ? 'en-US-u-va-posix' : name.replaceAll('_', '-');
  if (keywords === undefined) return { tag, usage: 'sort' };
  if (GONE.has(keywords)) return undefined;
  // Intl wants the orders for searching asked for in its own way.
  if (keywords === 'search') return { tag, usage: 'search' };
  return { tag: `${tag}${tag.includes('-u-') ? '' : '-u'}-co-${SHORT.get(keywords) ?? keywords}`, usage: 'sort' };
}
