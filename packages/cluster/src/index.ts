export { type Generations, startGenerations } from "./generations.ts";
export { openSite, type OpenSite, requireOwnSite } from "./open-site.ts";
export { configFromEnvironment, fail, runService, type Service } from "./process.ts";
export { type RunningWorkers, startWorkers } from "./start-workers.ts";
