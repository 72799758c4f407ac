import { CodedError, type Env } from '../base/index.ts';
import { Collator, type Doc, encode, toExtendedJson } from '../bson/index.ts';
import { compileValidator, type Validator } from '../query/index.ts';
import { defaultCollation } from './collation.ts';
import { nsText } from './collection.ts';
import type { CollectionInfo, Namespace } from './contract.ts';

/** Databases of the server's own. */
const INTERNAL: ReadonlySet<string> = new Set(['admin', 'local', 'config']);

const KNOWN_TEXTS_MAX = 10_000;

/** A collection's validator, with what is to happen to documents that it does not like. */
export class Validation {
  readonly #env: Env;
  readonly #ns: Namespace;
  #validator: Validator;
  readonly #source: Doc;
  #collator: Collator | undefined;
  readonly #moderate: boolean;
  readonly #warns: boolean;

  private constructor(env: Env, { ns, options }: CollectionInfo, validator: Doc) {
    this.#env = env;
    this.#ns = ns;
    this.#source = validator;
    const collation = defaultCollation(options);
    this.#collator = collation && new Collator(collation);
    this.#validator = compile(env, validator, this.#collator);
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
    this.#renew();
    if (this.#validator.matches(doc)) return;
    if (before && this.#moderate && !this.#validator.matches(before)) return;
    const errInfo = this.#validator.explain(doc);
    if (!this.#warns) {
      throw new CodedError('DocumentValidationFailure', 'Document failed validation', [['errInfo', errInfo]]);
    }
    const told = JSON.parse(toExtendedJson(encode(errInfo)));
    this.#env.log.warn({ ns: nsText(this.#ns), errInfo: told }, 'a document that fails validation is written');
  }

  /** A collator keeps the texts that it has met in sets, and a validator meets those of all documents. */
  #renew(): void {
    if (!this.#collator || this.#collator.known <= KNOWN_TEXTS_MAX) return;
    this.#collator = new Collator(this.#collator.spec);
    this.#validator = compile(this.#env, this.#source, this.#collator);
  }
}

function compile({ clock, random }: Env, validator: Doc, collator?: Collator): Validator {
  return compileValidator(validator, {
    collator,
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
