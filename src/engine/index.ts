export { type CheckedPart, type CheckOptions, checkDeployment, type Finding } from './check.ts';
export type * from './contract.ts';
export { checkIdIndexSpec, checkIndexSpecs } from './index-spec.ts';
export { type EngineOptions, openEngine } from './open.ts';
export { type PipelinePlan, planPipeline } from './pipeline/push-down.ts';
export type { UpkeepLimits } from './upkeep/upkeep.ts';
export { EXECUTING_AGGREGATE } from './view-reads.ts';
export { notOnView, queryStages } from './views.ts';
