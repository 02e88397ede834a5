import {
  addMaintenance,
  addSlots,
  knownSlots,
  type Queues,
  type SlotJob,
  startMaintenance,
  watchForLoss,
} from "@trivault/queue";

export interface Slot {
  readonly database: string;
  readonly slot: Date;
}

/** What the scheduler asks of Redis (packages/queue/src/slots.ts). */
export interface ScheduleQueue {
  /** Also true the first time. */
  mayHaveLost(): Promise<boolean>;
  known(slots: readonly Slot[]): Promise<ReadonlySet<Slot>>;
  add(slots: readonly SlotJob[]): Promise<void>;
  addMaintenance(tier: string, slot: Date): Promise<void>;
  startMaintenance(tier: string): Promise<void>;
}

export function scheduleQueue(queues: Queues, redis: Parameters<typeof watchForLoss>[0]): ScheduleQueue {
  return {
    mayHaveLost: watchForLoss(redis),
    known: (slots) => knownSlots(queues, slots),
    add: (slots) => addSlots(queues, slots),
    addMaintenance: (tier, slot) => addMaintenance(queues, tier, slot),
    startMaintenance: (tier) => startMaintenance(queues, tier),
  };
}
