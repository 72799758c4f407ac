import { type Doc, doc as literal, type Value } from '../../bson/index.ts';

/** What a stage did, as `explain` tells it. */
export interface StageWork {
  /** What it handed on. */
  readonly advanced: number;
  /** Its steps, the last one, which found nothing more, included. */
  readonly works: number;
}

/**
 * A stage as `explain` shows it, its fields in MongoDB's order. Absent `work`: the plan alone is shown. `input` is one stage
 * or several.
 */
export function stageDoc(
  stage: string,
  parts: {
    readonly filter?: Doc | undefined;
    readonly work?: StageWork | undefined;
    readonly fields?: object | undefined;
    readonly input?: Doc | readonly Doc[] | undefined;
  },
): Doc {
  const { filter, work, fields, input } = parts;
  const shown = literal({ stage, filter, ...(work && workFields(work)), ...fields });
  if (input instanceof Map) shown.set('inputStage', input);
  else if (input) shown.set('inputStages', input as Value[]);
  return shown;
}

function workFields({ advanced, works }: StageWork): object {
  return {
    nReturned: advanced,
    executionTimeMillisEstimate: 0,
    works,
    advanced,
    needTime: Math.max(0, works - advanced - 1),
    needYield: 0,
    saveState: 0,
    restoreState: 0,
    isEOF: 1,
  };
}
