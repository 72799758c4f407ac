import type { Doc, Value } from '../../bson/index.ts';
import { failedToParse, typeMismatch } from '../error.ts';
import { compileRegex } from '../regex/index.ts';
import { isArray, isDoc, typeName } from '../value.ts';
import { parseLimits } from './parse-scalar.ts';
import type { Dependency, Keyword, PatternProperty, Schema, SchemaOrBoolean } from './types.ts';

type ParseSchema = (source: Doc) => Schema;

/** The keywords on documents. */
export function* parseObjectKeywords(source: Doc, parseSchema: ParseSchema): Generator<Keyword> {
  const required = source.has('required') ? requiredNames(source.get('required')) : undefined;
  const properties = source.has('properties') ? propertySchemas(source.get('properties'), parseSchema) : new Map();
  if (source.has('properties')) yield { keyword: 'properties', properties };
  if (source.has('patternProperties') || source.has('additionalProperties')) {
    const additional = source.has('additionalProperties') ? { operand: source.get('additionalProperties') } : undefined;
    yield {
      keyword: 'allowedProperties',
      named: new Set(properties.keys()),
      patterns: source.has('patternProperties') ? patterns(source.get('patternProperties'), parseSchema) : [],
      otherwise: additional ? otherwise(additional.operand, parseSchema) : true,
      additional,
    };
  }
  if (required) yield { keyword: 'required', names: required, operand: source.get('required') };
  yield* parseLimits(source, 'minProperties', 'maxProperties');
  if (source.has('dependencies')) {
    const operand = source.get('dependencies');
    if (!isDoc(operand)) throw typeMismatch("$jsonSchema keyword 'dependencies' must be an object");
    yield { keyword: 'dependencies', operand, dependencies: [...parseDependencies(operand, parseSchema)] };
  }
}

function requiredNames(operand: Value): readonly string[] {
  if (!isArray(operand)) {
    throw typeMismatch(
      `$jsonSchema keyword 'required' must be an array, but found an element of type ${typeName(operand)}`,
    );
  }
  const names = new Set<string>();
  for (const name of operand) {
    if (typeof name !== 'string') {
      throw typeMismatch(
        `$jsonSchema keyword 'required' must be an array of strings, but found an element of type: ${typeName(name)}`,
      );
    }
    if (names.has(name)) throw failedToParse("$jsonSchema keyword 'required' array cannot contain duplicate values");
    names.add(name);
  }
  if (names.size === 0) throw failedToParse("$jsonSchema keyword 'required' cannot be an empty array");
  return [...names].sort();
}

function propertySchemas(operand: Value, parseSchema: ParseSchema): Map<string, Schema> {
  if (!isDoc(operand)) throw typeMismatch("$jsonSchema keyword 'properties' must be an object");
  const schemas = new Map<string, Schema>();
  for (const [name, schema] of operand) {
    if (!isDoc(schema)) throw typeMismatch(`Nested schema for $jsonSchema property '${name}' must be an object`);
    schemas.set(name, parseSchema(schema));
  }
  return schemas;
}

function patterns(operand: Value, parseSchema: ParseSchema): PatternProperty[] {
  if (!isDoc(operand)) throw typeMismatch("$jsonSchema keyword 'patternProperties' must be an object");
  return [...operand].map(([pattern, schema]) => {
    if (!isDoc(schema)) {
      throw typeMismatch(`$jsonSchema keyword 'patternProperties' has property '${pattern}' which is not an object`);
    }
    return { pattern, schema: parseSchema(schema), regex: compileRegex(pattern, '') };
  });
}

function otherwise(operand: Value, parseSchema: ParseSchema): SchemaOrBoolean {
  if (typeof operand === 'boolean') return operand;
  if (isDoc(operand)) return parseSchema(operand);
  throw typeMismatch("$jsonSchema keyword 'additionalProperties' must be an object or a boolean");
}

function* parseDependencies(operand: Doc, parseSchema: ParseSchema): Generator<Dependency> {
  for (const [property, requires] of operand) {
    // Annotations may stand among the properties.
    if (typeof requires === 'string' && (property === 'title' || property === 'description')) continue;
    if (isDoc(requires)) yield { property, requires: parseSchema(requires) };
    else if (isArray(requires)) yield { property, requires: dependentNames(property, requires) };
    else {
      throw typeMismatch(
        `property '${property}' in $jsonSchema keyword 'dependencies' must be either an object or an array`,
      );
    }
  }
}

function dependentNames(property: string, operand: readonly Value[]): readonly string[] {
  if (operand.length === 0) {
    throw failedToParse(`property '${property}' in $jsonSchema keyword 'dependencies' cannot be an empty array`);
  }
  const names: string[] = [];
  const where = `array '${property}' in $jsonSchema keyword 'dependencies'`;
  for (const name of operand) {
    if (typeof name !== 'string') {
      throw typeMismatch(`${where} can only contain strings, but found element of type: ${typeName(name)}`);
    }
    if (names.includes(name)) throw failedToParse(`${where} contains duplicate element: ${name}`);
    names.push(name);
  }
  return names;
}
