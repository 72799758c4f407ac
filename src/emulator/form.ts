import { type FieldError, formError } from './errors.ts';
import { parseSnowflake } from './snowflake.ts';
import type { JsonObject } from './types.ts';

interface Range {
  readonly min?: number;
  readonly max?: number;
}

/**
 * Reads the fields of a request's object and gathers what is wrong with them, so that one 50035 tells all. A field that
 * is absent or wrong reads as undefined; `check` throws when anything was wrong.
 */
export class Form {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: readonly string[];
  readonly #errors: FieldError[];

  constructor(fields: unknown, path: readonly string[] = [], errors: FieldError[] = []) {
    this.#path = path;
    this.#errors = errors;
    this.#fields = isObject(fields) ? fields : {};
    if (!isObject(fields)) this.fail([], 'MODEL_TYPE_CONVERT', 'Only dictionaries may be used to create a ModelType');
  }

  fail(field: string | readonly string[], code: string, message: string): undefined {
    this.#errors.push({ path: [...this.#path, ...(typeof field === 'string' ? [field] : field)], code, message });
    return undefined;
  }

  check(): void {
    if (this.#errors.length > 0) throw formError(this.#errors);
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  isNull(name: string): boolean {
    return this.#fields[name] === null;
  }

  required(name: string): boolean {
    if (this.#fields[name] !== undefined && this.#fields[name] !== null) return true;
    this.fail(name, 'BASE_TYPE_REQUIRED', 'This field is required');
    return false;
  }

  /** Length in code points. */
  string(name: string, { min, max }: Range = {}): string | undefined {
    const value = this.#present(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') {
      return this.fail(name, 'STRING_TYPE_CONVERT', `Could not interpret "${String(value)}" as string.`);
    }
    const length = codePoints(value);
    if (min !== undefined && max !== undefined && (length < min || length > max)) {
      return this.fail(name, 'BASE_TYPE_BAD_LENGTH', `Must be between ${min} and ${max} in length.`);
    }
    if (max !== undefined && length > max) {
      return this.fail(name, 'BASE_TYPE_MAX_LENGTH', `Must be ${max} or fewer in length.`);
    }
    return value;
  }

  /** Takes a decimal in a string too, as query strings need and Discord does. */
  integer(name: string, { min, max }: Range = {}): number | undefined {
    const value = this.#present(name);
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
      return this.fail(name, 'NUMBER_TYPE_COERCE', `Value "${String(value)}" is not int.`);
    }
    if (min !== undefined && number < min) {
      return this.fail(name, 'NUMBER_TYPE_MIN', `int value should be greater than or equal to ${min}.`);
    }
    if (max !== undefined && number > max) {
      return this.fail(name, 'NUMBER_TYPE_MAX', `int value should be less than or equal to ${max}.`);
    }
    return number;
  }

  choice(name: string, choices: readonly number[]): number | undefined {
    const value = this.integer(name);
    if (value === undefined || choices.includes(value)) return value;
    return this.fail(name, 'BASE_TYPE_CHOICES', `Value must be one of (${choices.join(', ')}).`);
  }

  boolean(name: string): boolean | undefined {
    const value = this.#present(name);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.fail(name, 'BOOLEAN_TYPE_CONVERT', 'Must be either true or false.');
  }

  snowflake(name: string): string | undefined {
    const value = this.#present(name);
    if (value === undefined) return undefined;
    const id = typeof value === 'string' || typeof value === 'number' ? parseSnowflake(String(value)) : undefined;
    return id ?? this.fail(name, 'NUMBER_TYPE_COERCE', `Value "${String(value)}" is not snowflake.`);
  }

  /** A bitset: a decimal string, or a number. */
  bits(name: string): bigint | undefined {
    const id = this.snowflake(name);
    return id === undefined ? undefined : BigInt(id);
  }

  snowflakes(name: string): string[] | undefined {
    const values = this.#list(name);
    return values?.flatMap((value, at) => {
      const id = typeof value === 'string' || typeof value === 'number' ? parseSnowflake(String(value)) : undefined;
      if (id === undefined) {
        this.fail([name, String(at)], 'NUMBER_TYPE_COERCE', `Value "${String(value)}" is not snowflake.`);
      }
      return id === undefined ? [] : [id];
    });
  }

  strings(name: string): string[] | undefined {
    return this.#list(name)?.flatMap((value, at) => {
      if (typeof value === 'string') return [value];
      this.fail([name, String(at)], 'STRING_TYPE_CONVERT', `Could not interpret "${String(value)}" as string.`);
      return [];
    });
  }

  /** A form for every object of a list. */
  forms(name: string, { max }: { readonly max?: number } = {}): Form[] | undefined {
    const values = this.#list(name);
    if (values && max !== undefined && values.length > max) {
      return this.fail(name, 'BASE_TYPE_MAX_LENGTH', `Must be ${max} or fewer in length.`);
    }
    return values?.map((value, at) => new Form(value, [...this.#path, name, String(at)], this.#errors));
  }

  form(name: string): Form | undefined {
    const value = this.#present(name);
    return value === undefined ? undefined : new Form(value, [...this.#path, name], this.#errors);
  }

  /** The whole object as it came, for what is kept unread (embeds, components). */
  get fields(): JsonObject {
    return this.#fields as JsonObject;
  }

  /** A value of any JSON type; null counts as absent. */
  #present(name: string): unknown {
    const value = this.#fields[name];
    return value === null ? undefined : value;
  }

  /** As `value`, for fields that take more than one type. */
  raw(name: string): unknown {
    return this.#present(name);
  }

  #list(name: string): readonly unknown[] | undefined {
    const value = this.#present(name);
    if (value === undefined || Array.isArray(value)) return value as readonly unknown[] | undefined;
    return this.fail(name, 'LIST_TYPE_CONVERT', 'Only iterables may be used in a ListType');
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Discord counts characters as Unicode code points (api-docs#1315). */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
