import { describe, expect, test } from 'vitest';
import { Collator, doc, Int32 } from '../../../src/bson/index.ts';

const full = {
  locale: 'en',
  caseLevel: false,
  caseFirst: 'off',
  strength: 3,
  numericOrdering: false,
  alternate: 'non-ignorable',
  maxVariable: 'punct',
  normalization: false,
  backwards: false,
  version: '57.1',
};

test.each([
  [{ locale: 'en' }, full],
  [{ locale: 'da' }, { ...full, locale: 'da', caseFirst: 'upper' }],
  [{ locale: 'fr_CA' }, { ...full, locale: 'fr_CA', backwards: true }],
  [
    { locale: 'fr_CA', backwards: false },
    { ...full, locale: 'fr_CA' },
  ],
  [{ locale: 'th' }, { ...full, locale: 'th', alternate: 'shifted', normalization: true }],
  [
    { locale: 'vi', strength: 2.7 },
    { ...full, locale: 'vi', strength: 2, normalization: true },
  ],
  [
    { strength: 1n, locale: 'de@collation=phonebook', caseLevel: true, caseFirst: 'lower' },
    { ...full, locale: 'de@collation=phonebook', caseLevel: true, caseFirst: 'lower', strength: 1 },
  ],
  [{ locale: 'da@collation=search' }, { ...full, locale: 'da@collation=search', normalization: true }],
  [{ locale: 'th@collation=eor' }, { ...full, locale: 'th@collation=eor' }],
  [
    { locale: 'en', backwards: true, version: '57.1', caseLevel: null },
    { ...full, backwards: true },
  ],
])('%o is filled in', (given, expected) => {
  const shown = Collator.of(doc(given))!.toDoc();
  expect(shown).toEqual(doc(expected));
  expect([...shown.keys()]).toEqual(Object.keys(full));
  expect(shown.get('strength')).toBeInstanceOf(Int32);
  expect(Collator.of(shown)!.toDoc()).toEqual(shown);
});

test('simple is none', () => {
  expect(Collator.of(doc({ locale: 'simple' }))).toBeUndefined();
  expect(Collator.of(undefined)).toBeUndefined();
});

describe('refused', () => {
  test.each([
    [{}, 'IDLFailedToParse', "BSON field 'collation.locale' is missing but a required field"],
    [{ locale: 'en', speed: 1 }, 'IDLUnknownField', "BSON field 'collation.speed' is an unknown field."],
    [{ locale: 3 }, 'TypeMismatch', "BSON field 'collation.locale' is the wrong type 'int', expected type 'string'"],
    [{ locale: '' }, 'BadValue', `Field 'locale' cannot be the empty string in: { locale: "" }`],
    [{ locale: 'e\0' }, 'BadValue', `Field 'locale' cannot contain null byte. Collation spec: { locale: "e\0" }`],
    [{ locale: 'xx' }, 'BadValue', `Field 'locale' is invalid in: { locale: "xx" }`],
    [{ locale: 'root' }, 'BadValue', `Field 'locale' is invalid in: { locale: "root" }`],
    [{ locale: 'en_GB' }, 'BadValue', `Field 'locale' is invalid in: { locale: "en_GB" }. Did you mean 'en'?`],
    [{ locale: 'en-US' }, 'BadValue', `Field 'locale' is invalid in: { locale: "en-US" }. Did you mean 'en_US'?`],
    [{ locale: 'EN' }, 'BadValue', `Field 'locale' is invalid in: { locale: "EN" }. Did you mean 'en'?`],
    [{ locale: 'en_' }, 'BadValue', `Field 'locale' is invalid in: { locale: "en_" }. Did you mean 'en'?`],
    [
      { locale: 'en_US@collation=phonebook' },
      'BadValue',
      `Field 'locale' is invalid in: { locale: "en_US@collation=phonebook" }. Did you mean 'en_US'?`,
    ],
    [
      { locale: 'zh@collation=pinyin' },
      'BadValue',
      `Field 'locale' is invalid in: { locale: "zh@collation=pinyin" }. Did you mean 'zh'?`,
    ],
    [
      { locale: 'en', caseLevel: 'yes' },
      'TypeMismatch',
      "BSON field 'collation.caseLevel' is the wrong type 'string', expected type 'bool'",
    ],
    [
      { locale: 'en', caseFirst: 'Upper' },
      'BadValue',
      "Enumeration value 'Upper' for field 'collation.caseFirst' is not a valid value.",
    ],
    [
      { locale: 'en', alternate: 'x' },
      'BadValue',
      "Enumeration value 'x' for field 'collation.alternate' is not a valid value.",
    ],
    [
      { locale: 'en', maxVariable: 'symbol' },
      'BadValue',
      "Enumeration value 'symbol' for field 'collation.maxVariable' is not a valid value.",
    ],
    [
      { locale: 'en', strength: 'x' },
      'TypeMismatch',
      "BSON field 'collation.strength' is the wrong type 'string', expected types '[long, int, decimal, double]'",
    ],
    [{ locale: 'en', backwards: 1 }, 'TypeMismatch', "Field 'backwards' should be a boolean value, but found: int"],
    [{ locale: 'en', strength: 6 }, 'BadValue', "BSON field 'strength' value must be <= 5, actual value '6'"],
    [{ locale: 'en', strength: -1 }, 'BadValue', "BSON field 'strength' value must be >= 0, actual value '-1'"],
    [
      { locale: 'en', strength: 0 },
      'BadValue',
      "Enumeration value '0' for field 'collation.strength' is not a valid value.",
    ],
    [
      { locale: 'en', version: '70.1' },
      'IncompatibleCollationVersion',
      'Requested collation version 70.1 but the only available collator version was 57.1. Requested collation spec: { locale: "en", version: "70.1" }',
    ],
    [
      { locale: 'fr_CA', strength: 1 },
      'BadValue',
      `'backwards' is invalid with 'strength' of 1 in: { locale: "fr_CA", strength: 1 }`,
    ],
    [
      { locale: 'en', caseFirst: 'upper', strength: 2 },
      'BadValue',
      `'caseFirst' is invalid unless 'caseLevel' is on or 'strength' is greater than 2 in: { locale: "en", caseFirst: "upper", strength: 2 }`,
    ],
  ])('%o', (given, codeName, message) => {
    const read = () => Collator.of(doc(given));
    expect(read).toThrow(expect.objectContaining({ codeName, message }));
  });
});
