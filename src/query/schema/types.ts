import type { Decimal128, Doc, Value } from '../../bson/index.ts';
import type { Found } from '../value.ts';

/** A parsed `$jsonSchema`, or one nested in it. A value fits when every keyword holds. */
export interface Schema {
  readonly source: Doc;
  readonly title: string | undefined;
  readonly description: string | undefined;
  /** In the order in which MongoDB checks them and tells of them: scalars, arrays, objects, logic, the type last. */
  readonly keywords: readonly Keyword[];
}

/** A schema, or whether anything fits. */
export type SchemaOrBoolean = Schema | boolean;

export type Keyword =
  | PatternKeyword
  | LimitKeyword
  | MultipleOfKeyword
  | BoundKeyword
  | UniqueItemsKeyword
  | ItemsKeyword
  | AdditionalItemsKeyword
  | PropertiesKeyword
  | AllowedPropertiesKeyword
  | RequiredKeyword
  | DependenciesKeyword
  | CombinationKeyword
  | NotKeyword
  | EnumKeyword
  | TypeKeyword;

/** Anything that says whether it finds itself in a text. */
export interface Pattern {
  test(text: string): boolean;
}

export interface PatternKeyword {
  readonly keyword: 'pattern';
  readonly pattern: string;
  readonly regex: Pattern;
}

/** Lengths are counted in code points. */
export interface LimitKeyword {
  readonly keyword: 'minLength' | 'maxLength' | 'minItems' | 'maxItems' | 'minProperties' | 'maxProperties';
  readonly limit: number;
  readonly operand: Value;
}

export interface MultipleOfKeyword {
  readonly keyword: 'multipleOf';
  readonly divisor: Decimal128;
  readonly operand: Value;
}

export interface BoundKeyword {
  readonly keyword: 'minimum' | 'maximum';
  readonly operand: Value;
  readonly exclusive: boolean;
  readonly holds: (value: Found) => boolean;
}

export interface UniqueItemsKeyword {
  readonly keyword: 'uniqueItems';
  readonly unique: boolean;
}

export interface ItemsKeyword {
  readonly keyword: 'items';
  /** One for all elements, or one for each position. */
  readonly items: Schema | readonly Schema[];
  readonly operand: Value;
}

export interface AdditionalItemsKeyword {
  readonly keyword: 'additionalItems';
  /** The first position that `items` has no schema for. */
  readonly from: number;
  readonly schema: SchemaOrBoolean;
  readonly operand: Value;
}

export interface PropertiesKeyword {
  readonly keyword: 'properties';
  readonly properties: ReadonlyMap<string, Schema>;
}

/** `patternProperties` and `additionalProperties`, of which one or both are given. */
export interface AllowedPropertiesKeyword {
  readonly keyword: 'allowedProperties';
  /** What `properties` names. */
  readonly named: ReadonlySet<string>;
  readonly patterns: readonly PatternProperty[];
  /** For fields that are not named and fit no pattern. */
  readonly otherwise: SchemaOrBoolean;
  /** `additionalProperties` as it was given, if it was. */
  readonly additional: { readonly operand: Value } | undefined;
}

export interface PatternProperty {
  readonly pattern: string;
  readonly regex: Pattern;
  readonly schema: Schema;
}

export interface RequiredKeyword {
  readonly keyword: 'required';
  /** Sorted. */
  readonly names: readonly string[];
  readonly operand: Value;
}

export interface DependenciesKeyword {
  readonly keyword: 'dependencies';
  readonly dependencies: readonly Dependency[];
  readonly operand: Doc;
}

/** Where the property is there, the document must fit the schema, or have the other properties. */
export interface Dependency {
  readonly property: string;
  readonly requires: Schema | readonly string[];
}

export interface CombinationKeyword {
  readonly keyword: 'allOf' | 'anyOf' | 'oneOf';
  readonly schemas: readonly Schema[];
}

export interface NotKeyword {
  readonly keyword: 'not';
  readonly schema: Schema;
}

export interface EnumKeyword {
  readonly keyword: 'enum';
  readonly values: readonly Value[];
}

export interface TypeKeyword {
  readonly keyword: 'type' | 'bsonType';
  readonly types: ReadonlySet<number>;
  readonly operand: Value;
}
