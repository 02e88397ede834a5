export { type DiscoveryProblem, type KnownDatabases, knownDatabases } from "./discovery.ts";
export { openSite, type OpenSite } from "./open-site.ts";
export { configFromEnvironment, fail, runService } from "./process.ts";
export { type RunningWorkers, startWorkers } from "./start-workers.ts";
