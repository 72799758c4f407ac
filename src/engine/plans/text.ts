import { CodedError } from '../../base/index.ts';
import { BSONRegExp, type Doc, encodeKey, type Value } from '../../bson/index.ts';
import { isDescending, keyPrefix, keysOf, kindOf } from '../../indexes/index.ts';
import { conjuncts, type Filter, type FilterNode, type Metadata } from '../../query/index.ts';
import type { TextSearch } from '../../text/index.ts';
import { type Collection, nsText } from '../collection.ts';
import { implies } from '../implies.ts';
import type { Slot } from '../slot.ts';
import type { Candidate } from './candidate.ts';
import { type Condition, conditionsOf } from './condition.ts';
import { slotsOf } from './ordered.ts';
import type { AccessPath, Choice, Plan, PlanQuery, Ran } from './plan.ts';
import { type StageWork, stageDoc } from './stage.ts';
import { branchScan } from './union.ts';

/** `$text`, by the text index and by nothing else: the documents of each term, best first. */
export const byText: AccessPath = {
  offers(query) {
    const search = query.filter.text;
    if (!search) return [];
    const choice = query.choices.find(({ key }) => kindOf(key).name === 'text');
    if (!choice) throw noPlan(query, 'need exactly one text index for $text query');
    return [{ plan: planText(query, search, choice), score: Number.POSITIVE_INFINITY }];
  },
};

function planText(query: PlanQuery, search: TextSearch, choice: Choice): Plan {
  const isText = (node: FilterNode) => node.kind === 'other' && node.name === '$text';
  if (query.conjuncts.some(isText)) return planSearch(query, search, choice);
  for (const node of query.conjuncts) {
    const branches = node.kind === '$or' ? node.children.map(conjuncts) : [];
    const searched = branches.find((nodes) => nodes.some(isText));
    if (!searched) continue;
    const rest = query.conjuncts.filter((other) => other !== node);
    const scans = branches.filter((nodes) => nodes !== searched).map((nodes) => branchScan(query, [...nodes, ...rest]));
    if (scans.some((scan) => scan === undefined)) break;
    const conditions = conditionsOf([...searched, ...rest]);
    return besides(query, planSearch({ ...query, conditions }, search, choice), search, scans as Candidate[]);
  }
  throw noPlan(
    query,
    'Failed to produce a solution for TEXT under OR - other non-TEXT clauses under OR have to be indexed as well.',
  );
}

/** A search as one of the branches of an `$or`. What only the others find has no score. */
function besides({ collection }: PlanQuery, found: Plan, search: TextSearch, others: readonly Candidate[]): Plan {
  return {
    ...found,
    stage: 'OR',
    *slots() {
      const seen = new Set<Slot>();
      for (const slots of [found.slots(), ...others.map(({ scan }) => slotsOf(collection, scan))]) {
        for (const slot of slots) {
          if (seen.has(slot)) continue;
          seen.add(slot);
          yield slot;
        }
      }
    },
    get keysExamined() {
      return others.reduce((sum, { scan }) => sum + scan.keysExamined, found.keysExamined ?? 0);
    },
    describe: (ran) =>
      stageDoc('OR', {
        work: ran && { advanced: ran.matched, works: ran.docsExamined + 1 },
        input: [found.describe(ran), ...others.map(({ scan }) => scan.describe(ran !== undefined))],
      }),
    meta: (doc) => (search.matches(doc) ? new Score(search, doc) : {}),
  };
}

function planSearch(query: PlanQuery, search: TextSearch, choice: Choice): Plan {
  const { collection, sort } = query;
  const prefix = prefixValues(query, search, choice);
  const start = keyPrefix(
    search.definition.prefix.map((path) => isDescending(choice.key.get(path) as Value)),
    prefix,
  );
  const scans = search.terms.map((term): TermScan => ({ key: start + encodeKey(term), keysExamined: 0 }));
  return {
    stage: 'TEXT_MATCH',
    sorted: sort === undefined,
    exact: false,
    slots: () => textSlots(collection, choice, scans),
    get keysExamined() {
      return scans.reduce((sum, { keysExamined }) => sum + keysExamined, 0);
    },
    describe: (ran) => describe(search, choice, prefix, sort, scans, ran),
    meta: (doc: Doc): Metadata => new Score(search, doc),
  };
}

/** The entries of one term. */
interface TermScan {
  readonly key: string;
  keysExamined: number;
}

/** Counted when somebody wants it. */
class Score implements Metadata {
  readonly #search: TextSearch;
  readonly #doc: Doc;
  #score: number | undefined;

  constructor(search: TextSearch, doc: Doc) {
    this.#search = search;
    this.#doc = doc;
  }

  get textScore(): number {
    this.#score ??= this.#search.score(this.#doc);
    return this.#score;
  }
}

function* textSlots(collection: Collection, choice: Choice, scans: readonly TermScan[]): Iterable<Slot> {
  const index = choice.index();
  collection.indexUses.count(choice.name);
  const seen = new Set<number>();
  for (const scan of scans) {
    scan.keysExamined = 0;
    for (const { recordId } of index.scan({ ...keysOf(scan.key), reverse: true })) {
      scan.keysExamined++;
      if (seen.has(recordId)) continue;
      seen.add(recordId);
      const slot = collection.slot(recordId);
      if (slot) yield slot;
    }
  }
}

/** The values of the index's fields before the text: the filter must fix each of them. */
function prefixValues(query: PlanQuery, { definition }: TextSearch, choice: Choice): Value[] {
  const { conditions, filter } = query;
  const partial = choice.spec.get('partialFilterExpression');
  const usable = !(partial instanceof Map) || implies(filter.source, partial);
  const values = definition.prefix.map((path) => {
    const equal = conditions.find((each) => each.path === path && isEquality(each, filter));
    return equal && { value: equal.operand };
  });
  if (usable && values.every((each) => each !== undefined)) return values.map((each) => each!.value);
  throw noPlan(
    query,
    'failed to use text index to satisfy $text query (if text index is compound, are equality predicates given for all prefix fields?)',
  );
}

function noPlan({ collection }: PlanQuery, why: string): CodedError {
  const ns = nsText(collection.ns);
  const message = `error processing query: ns=${ns} planner returned error :: caused by :: ${why}`;
  return new CodedError('NoQueryExecutionPlans', message);
}

/** A text index orders strings by code points, so that an equality under a collation is none in it. */
function isEquality({ operator, operand, negated, scopes }: Condition, { collator }: Filter): boolean {
  if (collator && (typeof operand === 'string' || operand instanceof Map || Array.isArray(operand))) return false;
  return operator === '$eq' && !negated && scopes.length === 0 && !(operand instanceof BSONRegExp);
}

function describe(
  search: TextSearch,
  choice: Choice,
  prefix: readonly Value[],
  sort: Doc | undefined,
  scans: readonly TermScan[],
  ran: Ran | undefined,
): Doc {
  const scored = sort !== undefined && [...sort.values()].some((direction) => direction instanceof Map);
  const terms = scans.map((scan) => termStage(choice, scan, ran !== undefined));
  const work = ran && { advanced: ran.docsExamined, works: ran.docsExamined + 1 };
  return stageDoc('TEXT_MATCH', {
    work: ran && { advanced: ran.matched, works: ran.docsExamined + 1 },
    fields: {
      indexPrefix: new Map(search.definition.prefix.map((path, at) => [path, prefix[at]])),
      indexName: choice.name,
      parsedTextQuery: {
        terms: [...search.positiveTerms],
        negatedTerms: [...search.negatedTerms],
        phrases: [...search.phrases],
        negatedPhrases: [...search.negatedPhrases],
      },
      textIndexVersion: 3,
      ...(ran && { docsRejected: ran.docsExamined - ran.matched }),
    },
    input: scored ? stageDoc('TEXT_OR', { work, input: oneOrMore(terms) }) : fetched(terms, work),
  });
}

function fetched(terms: readonly Doc[], work: StageWork | undefined): Doc {
  const input = terms.length > 1 ? stageDoc('OR', { work, input: terms }) : oneOrMore(terms);
  return stageDoc('FETCH', { work, fields: work && { docsExamined: work.advanced, alreadyHasObj: 0 }, input });
}

/** A search for nothing but stop words has no term at all. */
function oneOrMore(stages: readonly Doc[]): Doc | readonly Doc[] {
  if (stages.length === 0) return stageDoc('EOF', {});
  return stages.length === 1 ? stages[0]! : stages;
}

function termStage(choice: Choice, { keysExamined }: TermScan, ran: boolean): Doc {
  const { key, name, spec, arrays } = choice;
  return stageDoc('IXSCAN', {
    work: ran ? { advanced: keysExamined, works: keysExamined + 1 } : undefined,
    fields: {
      keyPattern: key,
      indexName: name,
      isMultiKey: arrays !== undefined,
      isUnique: spec.get('unique') === true,
      isSparse: spec.get('sparse') === true,
      isPartial: spec.has('partialFilterExpression'),
      indexVersion: 2,
      direction: 'backward',
      indexBounds: new Map(),
      ...(ran && { keysExamined }),
    },
  });
}
