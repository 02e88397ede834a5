export {
  type CopyJob,
  copyJobSchema,
  copyQueueOf,
  type DumpJob,
  dumpJobSchema,
  type EncryptJob,
  encryptJobSchema,
  parseJob,
} from "./jobs.ts";
export { type PrivateRedis, privateRedisUrl, startPrivateRedis } from "./private-redis.ts";
export {
  type BackupRequest,
  requestBackup,
  type RequestedRun,
  startCopy,
  startEncrypt,
  startMaintenance,
} from "./producer.ts";
export { closeQueues, openQueues, type Queues } from "./queues.ts";
export { checkRedis, connectRedis } from "./redis.ts";
export { countWorkers, isSettled, type RunStatus, runStatus, type StageStatus } from "./runs.ts";
export { ensureSchedules } from "./schedules.ts";
export { type Handler, type JobContext, type RunningWorker, startWorker } from "./worker.ts";
