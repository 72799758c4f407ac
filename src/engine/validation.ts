import { CodedError, type Env } from '../base/index.ts';
import { type CollationSpec, Collator, type Doc, encode, toExtendedJson, type Value } from '../bson/index.ts';
import { compileValidator, type Validator } from '../query/index.ts';
import { defaultCollation } from './collation.ts';
import { nsText } from './collection.ts';
import type { CollectionInfo, Namespace } from './contract.ts';

/** Databases of the server's own. */
const INTERNAL: ReadonlySet<string> = new Set(['admin', 'local', 'config']);

/** A collection's validator, with what is to happen to documents that it does not like. */
export class Validation {
  readonly #env: Env;
  readonly #ns: Namespace;
  readonly #validator: Validator;
  readonly #moderate: boolean;
  readonly #warns: boolean;

  private constructor(env: Env, { ns, options }: CollectionInfo, validator: Doc) {
    this.#env = env;
    this.#ns = ns;
    this.#validator = compile(env, validator, defaultCollation(options));
    this.#moderate = options.get('validationLevel') === 'moderate';
    this.#warns = options.get('validationAction') === 'warn';
  }

  /** Undefined where the options ask for none. */
  static of(env: Env, info: CollectionInfo): Validation | undefined {
    const validator = info.options.get('validator');
    if (!(validator instanceof Map) || validator.size === 0) return undefined;
    if (info.options.get('validationLevel') === 'off') return undefined;
    return new Validation(env, info, validator);
  }

  /** Throws DocumentValidationFailure for a document that may not be; `before` is what it replaces. */
  check(doc: Doc, before?: Doc): void {
    if (this.#validator.matches(doc)) return;
    if (before && this.#moderate && !this.#validator.matches(before)) return;
    const errInfo: Doc = new Map<string, Value>([
      ['failingDocumentId', doc.get('_id')],
      ['details', this.#validator.explain(doc)],
    ]);
    if (!this.#warns) {
      throw new CodedError('DocumentValidationFailure', 'Document failed validation', [['errInfo', errInfo]]);
    }
    const told = JSON.parse(toExtendedJson(encode(errInfo)));
    this.#env.log.warn({ ns: nsText(this.#ns), errInfo: told }, 'a document that fails validation is written');
  }
}

function compile({ clock, random }: Env, validator: Doc, collation?: CollationSpec): Validator {
  return compileValidator(validator, {
    collator: collation && new Collator(collation),
    get now() {
      return new Date(clock.now());
    },
    random: () => random.next(),
  });
}

/** Throws for a validator that cannot be, or cannot be here. */
export function checkValidator(env: Env, ns: Namespace, validator: Doc): void {
  if (validator.size === 0) return;
  if (INTERNAL.has(ns.db)) {
    throw new CodedError(
      'InvalidOptions',
      `Document validators are not allowed on collection ${nsText(ns)} in the ${ns.db} internal database`,
    );
  }
  if (ns.coll.startsWith('system.')) {
    throw new CodedError('InvalidOptions', `Document validators not allowed on system collection ${nsText(ns)}`);
  }
  compile(env, validator);
}
