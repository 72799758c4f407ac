import { type Doc, doc as literal, typeAlias, type Value } from '../../bson/index.ts';
import { appliesTo, fits, holds, propertyOf, type Schema, type SchemaOrBoolean } from '../schema/index.ts';
import type { AllowedPropertiesKeyword, CombinationKeyword, Dependency, Keyword } from '../schema/types.ts';
import { hasDuplicates } from '../schema/unordered.ts';
import { isArray, isDoc, MISSING } from '../value.ts';

type Explanation = Record<string, unknown>;

/** Why a document does not fit the validator's `$jsonSchema`. */
export function explainSchema(schema: Schema, doc: Doc): Doc {
  return literal({
    operatorName: '$jsonSchema',
    ...annotations(schema),
    schemaRulesNotSatisfied: rulesBroken(doc, schema),
  });
}

function annotations(schema: SchemaOrBoolean): Explanation {
  return typeof schema === 'boolean' ? {} : { title: schema.title, description: schema.description };
}

/** An explanation for each keyword that does not hold. */
function rulesBroken(value: Value, schema: SchemaOrBoolean): Explanation[] {
  if (typeof schema === 'boolean') return [];
  return schema.keywords.flatMap((keyword) => {
    if (!appliesTo(keyword, value) || holds(value, keyword)) return [];
    return explainKeyword(value, keyword);
  });
}

function explainKeyword(value: Value, keyword: Keyword): Explanation[] {
  const operatorName = keyword.keyword;
  const scalar = (operand: Value, reason: string, more: Explanation = {}): Explanation[] => [
    { operatorName, specifiedAs: { [operatorName]: operand, ...more }, reason, consideredValue: value },
  ];
  switch (keyword.keyword) {
    case 'type':
    case 'bsonType':
      return scalar(keyword.operand, 'type did not match').map((each) => ({
        ...each,
        consideredType: typeAlias(value),
      }));
    case 'enum':
      return scalar([...keyword.values], 'value was not found in enum');
    case 'pattern':
      return scalar(keyword.pattern, 'regular expression did not match');
    case 'minLength':
    case 'maxLength':
      return scalar(keyword.operand, 'specified string length was not satisfied');
    case 'minimum':
    case 'maximum': {
      const name = keyword.keyword === 'minimum' ? 'exclusiveMinimum' : 'exclusiveMaximum';
      return scalar(keyword.operand, 'comparison failed', keyword.exclusive ? { [name]: true } : {});
    }
    case 'multipleOf':
      return scalar(keyword.operand, 'considered value is not a multiple of the specified value');
    case 'allOf':
    case 'anyOf':
    case 'oneOf':
      return [explainCombination(value, keyword)];
    case 'not':
      return [{ operatorName, reason: 'child expression matched' }];
    case 'allowedProperties':
      return isDoc(value) ? explainAllowed(value, keyword) : [];
  }
  if (isArray(value)) return [{ operatorName, ...explainArray(value, keyword) }];
  return isDoc(value) ? explainDocument(value, keyword).map((each) => ({ operatorName, ...each })) : [];
}

function explainCombination(value: Value, { keyword, schemas }: CombinationKeyword): Explanation {
  const matching = schemas.flatMap((schema, index) => (fits(value, schema) ? [index] : []));
  if (keyword === 'oneOf' && matching.length > 0) {
    return { operatorName: keyword, reason: 'more than one subschema matched', matchingSchemaIndexes: matching };
  }
  const schemasNotSatisfied = schemas.flatMap((schema, index) => {
    if (fits(value, schema)) return [];
    return [{ index, ...annotations(schema), details: rulesBroken(value, schema) }];
  });
  return { operatorName: keyword, schemasNotSatisfied };
}

function explainArray(array: Value[], keyword: Keyword): Explanation {
  switch (keyword.keyword) {
    case 'minItems':
    case 'maxItems':
      return {
        specifiedAs: { [keyword.keyword]: keyword.operand },
        reason: 'array did not match specified length',
        consideredValue: array,
        numberOfItems: array.length,
      };
    case 'uniqueItems':
      return {
        specifiedAs: { uniqueItems: true },
        reason: 'found a duplicate item',
        consideredValue: array,
        duplicatedValue: array.find((_, at) => hasDuplicates(array.slice(0, at + 1))),
      };
    case 'items': {
      const { items } = keyword;
      if (!Array.isArray(items)) return failingItem(array, items as Schema, 0, 'At least one item');
      const details = items.flatMap((schema: Schema, itemIndex) => {
        const item = array[itemIndex];
        if (itemIndex >= array.length || fits(item, schema)) return [];
        return [{ itemIndex, details: rulesBroken(item, schema) }];
      });
      return { details };
    }
    case 'additionalItems':
      if (typeof keyword.schema !== 'boolean') {
        return failingItem(array, keyword.schema, keyword.from, 'At least one additional item');
      }
      return {
        specifiedAs: { additionalItems: keyword.operand },
        reason: 'found additional items',
        additionalItems: array.slice(keyword.from),
      };
    default:
      return {};
  }
}

function failingItem(array: readonly Value[], schema: Schema, from: number, which: string): Explanation {
  const itemIndex = array.findIndex((item, at) => at >= from && !fits(item, schema));
  return {
    ...annotations(schema),
    reason: `${which} did not match the sub-schema`,
    itemIndex,
    details: rulesBroken(array[itemIndex], schema),
  };
}

function explainDocument(doc: Doc, keyword: Keyword): Explanation[] {
  switch (keyword.keyword) {
    case 'minProperties':
    case 'maxProperties':
      return [
        {
          specifiedAs: { [keyword.keyword]: keyword.operand },
          reason: 'specified number of properties was not satisfied',
          numberOfProperties: doc.size,
        },
      ];
    case 'required':
      return [
        {
          specifiedAs: { required: keyword.operand },
          missingProperties: keyword.names.filter((name) => propertyOf(doc, name) === MISSING),
        },
      ];
    case 'properties': {
      const propertiesNotSatisfied = [...keyword.properties].flatMap(([propertyName, schema]) => {
        const value = propertyOf(doc, propertyName);
        const details = value === MISSING ? [] : rulesBroken(value, schema);
        return details.length === 0 ? [] : [{ propertyName, ...annotations(schema), details }];
      });
      return [{ propertiesNotSatisfied }];
    }
    case 'dependencies':
      return [{ failingDependencies: keyword.dependencies.flatMap((each) => explainDependency(doc, each)) }];
    default:
      return [];
  }
}

function explainDependency(doc: Doc, { property, requires }: Dependency): Explanation[] {
  if (propertyOf(doc, property) === MISSING) return [];
  if (!Array.isArray(requires)) {
    const details = rulesBroken(doc, requires as Schema);
    return details.length === 0 ? [] : [{ conditionalProperty: property, details }];
  }
  const missingProperties = requires.filter((name: string) => propertyOf(doc, name) === MISSING);
  return missingProperties.length === 0 ? [] : [{ conditionalProperty: property, missingProperties }];
}

/** `additionalProperties` and `patternProperties` are told of as two. */
function explainAllowed(doc: Doc, { named, patterns, otherwise, additional }: AllowedPropertiesKeyword): Explanation[] {
  const others = [...doc].filter(([name]) => !named.has(name) && !patterns.some(({ regex }) => regex.test(name)));
  const explained: Explanation[] = [];
  const operatorName = 'additionalProperties';
  if (otherwise === false && others.length > 0) {
    const names = others.map(([name]) => name);
    explained.push({ operatorName, specifiedAs: { [operatorName]: additional?.operand }, [operatorName]: names });
  }
  const failing = others.find(([, value]) => !fits(value, otherwise));
  if (typeof otherwise !== 'boolean' && failing) {
    explained.push({
      operatorName,
      ...annotations(otherwise),
      reason: 'at least one additional property did not match the subschema',
      failingProperty: failing[0],
      details: rulesBroken(failing[1], otherwise),
    });
  }
  const details = patterns.flatMap(({ pattern, regex, schema }) => {
    const broken = [...doc].find(([name, value]) => regex.test(name) && !fits(value, schema));
    if (!broken) return [];
    const [propertyName, value] = broken;
    return [{ propertyName, ...annotations(schema), regexMatched: pattern, details: rulesBroken(value, schema) }];
  });
  if (details.length > 0) explained.push({ operatorName: 'patternProperties', details });
  return explained;
}
