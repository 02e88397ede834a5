export {
  type CopyJob,
  copyJobSchema,
  type CopyQueue,
  copyQueueOf,
  type DumpJob,
  dumpJobSchema,
  type EncryptJob,
  encryptJobSchema,
  isTargetName,
  maintenanceJobSchema,
  parseJob,
  type RestoreJob,
  restoreJobSchema,
  type VerifyJob,
  verifyJobSchema,
} from "./jobs.ts";
export { type PrivateRedis, privateRedisUrl, startPrivateRedis } from "./private-redis.ts";
export {
  type BackupRequest,
  failingFast,
  requestBackup,
  type RequestedRun,
  startCopy,
  startEncrypt,
  type StartedRestore,
  startRestore,
  startVerify,
} from "./producer.ts";
export { type Answered, once } from "./idempotency.ts";
export { type JobKey, siteJobKey } from "./job-key.ts";
export { type JobDetails, jobDetails, jobLog } from "./job-details.ts";
export { type MovingRun, type RunWatch, watchRuns } from "./moving-runs.ts";
export { type QueueState, queueStates } from "./queue-states.ts";
export { closeQueues, openQueues, type Queues } from "./queues.ts";
export { checkRedis, connectRedis, redisAnswers } from "./redis.ts";
export { redisDrift } from "./redis-drift.ts";
export { copiesOf, copyStatus, countWorkers, type RunStatus, runStatus, type StageStatus } from "./runs.ts";
export {
  addMaintenance,
  addSlots,
  knownSlots,
  promoteDumps,
  removeOldSchedulers,
  type SlotJob,
  slotJobId,
  startMaintenance,
  watchForLoss,
} from "./slots.ts";
export { startTracing, type Tracing } from "./tracing.ts";
export {
  type Handler,
  type JobContext,
  type JobEnd,
  type JobHandle,
  type JobOrigin,
  type RefusedJob,
  RunLater,
  type RunningWorker,
  startWorker,
  type QueueWorkerOptions,
} from "./worker.ts";
