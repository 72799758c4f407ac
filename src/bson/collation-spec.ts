import { Decimal128, Int32 } from 'bson';
import { CodedError } from '../base/index.ts';
import { isShared, validLocale } from './collation-locales.ts';
import { showDoc } from './show.ts';
import { isNumber, typeAlias } from './types.ts';
import type { Doc, Value } from './values.ts';

/** A collation with every option decided, by name and in order as MongoDB shows it. */
export interface CollationSpec {
  readonly locale: string;
  readonly caseLevel: boolean;
  readonly caseFirst: 'upper' | 'lower' | 'off';
  readonly strength: number;
  readonly numericOrdering: boolean;
  readonly alternate: 'non-ignorable' | 'shifted';
  readonly maxVariable: 'punct' | 'space';
  readonly normalization: boolean;
  readonly backwards: boolean;
  readonly version: string;
}

/** The version of ICU in MongoDB, which collations are shown with. */
const VERSION = '57.1';
const SIMPLE = 'simple';
const STRENGTH_MAX = 5;

/** Where a locale's options differ from what they mostly are. */
const UPPER_FIRST: ReadonlySet<string> = new Set(['da', 'mt']);
const SHIFTED: ReadonlySet<string> = new Set(['th']);
const BACKWARDS: ReadonlySet<string> = new Set(['fr_CA']);
const NORMALIZED: ReadonlySet<string> = new Set(
  'as bn bo el fa fa_AF gu he hi ig km kn kok mr my or pa ps si ta te th vi yi yo'.split(' '),
);

/**
 * Reads a collation, defaults filled in by locale; undefined for `{locale: 'simple'}`, which is no collation. Throws
 * what MongoDB does: IDLUnknownField, IDLFailedToParse, TypeMismatch, BadValue, IncompatibleCollationVersion.
 */
export function parseCollation(source: Doc): CollationSpec | undefined {
  for (const name of source.keys()) {
    if (!FIELDS.has(name))
      throw new CodedError('IDLUnknownField', `BSON field 'collation.${name}' is an unknown field.`);
  }
  const fields = new Fields(source);
  const locale = fields.text('locale');
  if (locale === undefined) {
    throw new CodedError('IDLFailedToParse', "BSON field 'collation.locale' is missing but a required field");
  }
  const [name = '', variant] = locale.split('@collation=', 2);
  // Orders that all languages share have none of a language's options.
  const language = isShared(variant) ? '' : name;
  const spec: CollationSpec = {
    locale,
    caseLevel: fields.truth('caseLevel') ?? false,
    caseFirst: fields.choice('caseFirst', ['upper', 'lower', 'off']) ?? (UPPER_FIRST.has(language) ? 'upper' : 'off'),
    strength: fields.strength() ?? 3,
    numericOrdering: fields.truth('numericOrdering') ?? false,
    alternate:
      fields.choice('alternate', ['non-ignorable', 'shifted']) ?? (SHIFTED.has(language) ? 'shifted' : 'non-ignorable'),
    maxVariable: fields.choice('maxVariable', ['punct', 'space']) ?? 'punct',
    normalization: fields.truth('normalization') ?? (variant?.startsWith('search') || NORMALIZED.has(language)),
    backwards: fields.strictTruth('backwards') ?? BACKWARDS.has(language),
    version: fields.text('version') ?? VERSION,
  };
  if (locale.includes('\0')) {
    throw badValue(`Field 'locale' cannot contain null byte. Collation spec: ${showDoc(source)}`);
  }
  if (locale === SIMPLE) return undefined;
  checkLocale(locale, source);
  checkTogether(spec, source);
  return spec;
}

export function collationDoc(spec: CollationSpec): Doc {
  return new Map<string, Value>(Object.entries({ ...spec, strength: new Int32(spec.strength) }));
}

function checkLocale(locale: string, source: Doc): void {
  if (locale === '') throw badValue(`Field 'locale' cannot be the empty string in: ${showDoc(source)}`);
  const valid = validLocale(locale);
  if (valid === locale) return;
  const advice = valid === undefined ? '' : `. Did you mean '${valid}'?`;
  throw badValue(`Field 'locale' is invalid in: ${showDoc(source)}${advice}`);
}

function checkTogether({ strength, backwards, caseFirst, caseLevel, version }: CollationSpec, source: Doc): void {
  if (strength === 0) {
    throw badValue("Enumeration value '0' for field 'collation.strength' is not a valid value.");
  }
  if (version !== VERSION) {
    throw new CodedError(
      'IncompatibleCollationVersion',
      `Requested collation version ${version} but the only available collator version was ${VERSION}. Requested collation spec: ${showDoc(source)}`,
    );
  }
  if (backwards && strength === 1) {
    throw badValue(`'backwards' is invalid with 'strength' of 1 in: ${showDoc(source)}`);
  }
  if (caseFirst !== 'off' && !caseLevel && strength <= 2) {
    throw badValue(
      `'caseFirst' is invalid unless 'caseLevel' is on or 'strength' is greater than 2 in: ${showDoc(source)}`,
    );
  }
}

const FIELDS: ReadonlySet<string> = new Set([
  ...['locale', 'caseLevel', 'caseFirst', 'strength', 'numericOrdering', 'alternate', 'maxVariable'],
  ...['normalization', 'backwards', 'version'],
]);

/** The fields of a collation as MongoDB reads them: null is as good as absent, but for `backwards`. */
class Fields {
  readonly #source: Doc;

  constructor(source: Doc) {
    this.#source = source;
  }

  text(name: string): string | undefined {
    const value = this.#get(name);
    if (value === undefined || typeof value === 'string') return value;
    throw wrongType(name, value, "type 'string'");
  }

  truth(name: string): boolean | undefined {
    const value = this.#get(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw wrongType(name, value, "type 'bool'");
  }

  /** Null is not as good as absent. */
  strictTruth(name: string): boolean | undefined {
    if (!this.#source.has(name)) return undefined;
    const value = this.#source.get(name);
    if (typeof value === 'boolean') return value;
    const message = `Field '${name}' should be a boolean value, but found: ${typeAlias(value)}`;
    throw new CodedError('TypeMismatch', message);
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = choices.find((choice) => choice === text);
    if (found === undefined) {
      throw badValue(`Enumeration value '${text}' for field 'collation.${name}' is not a valid value.`);
    }
    return found;
  }

  /** 0 to 5; a fraction is cut off. */
  strength(): number | undefined {
    const value = this.#get('strength');
    if (value === undefined) return undefined;
    if (!isNumber(value)) throw wrongType('strength', value, "types '[long, int, decimal, double]'");
    const number = Math.trunc(value instanceof Decimal128 ? Number(value.toString()) : Number(value)) || 0;
    const broken = number < 0 ? '>= 0' : number > STRENGTH_MAX ? `<= ${STRENGTH_MAX}` : undefined;
    if (broken === undefined) return number;
    throw new CodedError('BadValue', `BSON field 'strength' value must be ${broken}, actual value '${number}'`);
  }

  #get(name: string): Value {
    return this.#source.get(name) ?? undefined;
  }
}

function wrongType(name: string, value: Value, expected: string): CodedError {
  const actual = typeAlias(value);
  return new CodedError(
    'TypeMismatch',
    `BSON field 'collation.${name}' is the wrong type '${actual}', expected ${expected}`,
  );
}

function badValue(message: string): CodedError {
  return new CodedError('BadValue', message);
}
