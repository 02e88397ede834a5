export { FAMILIES } from "./families.ts";
export type { FiringAlert, QueueFacts } from "./live-samples.ts";
export { createProcessMetrics, type JobEnd, METRICS_TYPE, type ProcessMetrics } from "./process-metrics.ts";
export { createSiteMetrics, type SiteMetricsDeps } from "./site-metrics.ts";
