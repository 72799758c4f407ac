import type { Doc, Value } from '../../bson/index.ts';
import { remainderDecimal } from '../decimal.ts';
import { isZero, toDecimal } from '../number.ts';
import { field } from '../path.ts';
import { type Found, isArray, isDoc, isNumeric, MISSING } from '../value.ts';
import { hasType } from './type-set.ts';
import type { AllowedPropertiesKeyword, Dependency, Keyword, LimitKeyword, Schema, SchemaOrBoolean } from './types.ts';
import { hasDuplicates, sameUnordered } from './unordered.ts';

/** Whether the value, which is there, fits the schema. */
export function fits(value: Value, schema: SchemaOrBoolean): boolean {
  if (typeof schema === 'boolean') return schema;
  for (const keyword of schema.keywords) if (!holds(value, keyword)) return false;
  return true;
}

/** Whether the keyword says anything about values of this one's type. Where it does not, it holds. */
export function appliesTo(keyword: Keyword, value: Value): boolean {
  switch (keyword.keyword) {
    case 'pattern':
    case 'minLength':
    case 'maxLength':
      return typeof value === 'string';
    case 'multipleOf':
    case 'minimum':
    case 'maximum':
      return isNumeric(value);
    case 'minItems':
    case 'maxItems':
    case 'uniqueItems':
    case 'items':
    case 'additionalItems':
      return isArray(value);
    case 'minProperties':
    case 'maxProperties':
    case 'properties':
    case 'allowedProperties':
    case 'required':
    case 'dependencies':
      return isDoc(value);
    default:
      return true;
  }
}

export function holds(value: Value, keyword: Keyword): boolean {
  switch (keyword.keyword) {
    case 'type':
    case 'bsonType':
      return hasType(value, keyword.types);
    case 'allOf':
      return keyword.schemas.every((schema) => fits(value, schema));
    case 'anyOf':
      return keyword.schemas.some((schema) => fits(value, schema));
    case 'oneOf':
      return keyword.schemas.filter((schema) => fits(value, schema)).length === 1;
    case 'not':
      return !fits(value, keyword.schema);
    case 'enum':
      return keyword.values.some((wanted) => sameUnordered(wanted, value));
  }
  if (typeof value === 'string') return textHolds(value, keyword);
  if (isDoc(value)) return documentHolds(value, keyword);
  if (isArray(value)) return arrayHolds(value, keyword);
  if (!isNumeric(value)) return true;
  if (keyword.keyword === 'minimum' || keyword.keyword === 'maximum') return keyword.holds(value);
  if (keyword.keyword !== 'multipleOf') return true;
  return isZero(remainderDecimal(toDecimal(value), keyword.divisor));
}

function textHolds(text: string, keyword: Keyword): boolean {
  if (keyword.keyword === 'pattern') return keyword.regex.test(text);
  if (keyword.keyword !== 'minLength' && keyword.keyword !== 'maxLength') return true;
  return within(codePoints(text), keyword);
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function within(count: number, { keyword, limit }: LimitKeyword): boolean {
  return keyword.startsWith('min') ? count >= limit : count <= limit;
}

function arrayHolds(array: readonly Value[], keyword: Keyword): boolean {
  switch (keyword.keyword) {
    case 'minItems':
    case 'maxItems':
      return within(array.length, keyword);
    case 'uniqueItems':
      return !keyword.unique || !hasDuplicates(array);
    case 'items': {
      const { items } = keyword;
      if (!Array.isArray(items)) return array.every((item) => fits(item, items as Schema));
      return items.every((schema, index) => index >= array.length || fits(array[index], schema));
    }
    case 'additionalItems':
      return array.every((item, index) => index < keyword.from || fits(item, keyword.schema));
    default:
      return true;
  }
}

function documentHolds(doc: Doc, keyword: Keyword): boolean {
  switch (keyword.keyword) {
    case 'minProperties':
    case 'maxProperties':
      return within(doc.size, keyword);
    case 'properties':
      for (const [name, schema] of keyword.properties) {
        const value = propertyOf(doc, name);
        if (value !== MISSING && !fits(value, schema)) return false;
      }
      return true;
    case 'allowedProperties':
      return allowed(doc, keyword);
    case 'required':
      return keyword.names.every((name) => propertyOf(doc, name) !== MISSING);
    case 'dependencies':
      return keyword.dependencies.every((dependency) => dependencyHolds(doc, dependency));
    default:
      return true;
  }
}

function allowed(doc: Doc, { named, patterns, otherwise }: AllowedPropertiesKeyword): boolean {
  for (const [name, value] of doc) {
    let matched = named.has(name);
    for (const { regex, schema } of patterns) {
      if (!regex.test(name)) continue;
      matched = true;
      if (!fits(value, schema)) return false;
    }
    if (!matched && !fits(value, otherwise)) return false;
  }
  return true;
}

function dependencyHolds(doc: Doc, { property, requires }: Dependency): boolean {
  if (propertyOf(doc, property) === MISSING) return true;
  if (Array.isArray(requires)) return requires.every((name) => propertyOf(doc, name) !== MISSING);
  return fits(doc, requires as Schema);
}

/** What a property's name stands for: to MongoDB it is a path through documents. */
export function propertyOf(doc: Doc, name: string): Found {
  if (!name.includes('.')) return field(doc, name);
  let value: Found = doc;
  for (const part of name.split('.')) {
    if (!isDoc(value)) return MISSING;
    value = field(value, part);
  }
  return value;
}
