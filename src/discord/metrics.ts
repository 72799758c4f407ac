import type { RestMetrics } from './rest.ts';

/** The counts of several bots as one's. */
export function sumMetrics(all: readonly RestMetrics[]): RestMetrics {
  const total = (count: (metrics: RestMetrics) => number) => all.reduce((sum, metrics) => sum + count(metrics), 0);
  const requests: Record<string, number> = {};
  for (const metrics of all) {
    for (const [route, count] of Object.entries(metrics.requests)) requests[route] = (requests[route] ?? 0) + count;
  }
  return {
    buckets: total(({ buckets }) => buckets),
    waiting: total(({ waiting }) => waiting),
    refusals: {
      user: total(({ refusals }) => refusals.user),
      shared: total(({ refusals }) => refusals.shared),
      global: total(({ refusals }) => refusals.global),
      edge: total(({ refusals }) => refusals.edge),
    },
    requests,
    retries: total(({ retries }) => retries),
    downloads: total(({ downloads }) => downloads),
    invalidRequests: Math.max(...all.map(({ invalidRequests }) => invalidRequests)),
  };
}
