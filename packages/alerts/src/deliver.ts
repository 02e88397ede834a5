import { type Logger, messageOf } from "@trivault/core";
import type { Channel, Message } from "@trivault/notify";
import type { Delivery, DeskState } from "./desk-state.ts";
import { delivered, dueNow, notDelivered } from "./outbox.ts";

export interface DeliverDeps {
  readonly channels: readonly Channel[];
  readonly now: () => Date;
  readonly log: Logger;
  /** Begins nothing more once it ends. */
  readonly signal: AbortSignal;
  /** The newest state, and how it becomes another. */
  readonly state: () => DeskState;
  readonly change: (next: DeskState) => void;
  /** Called after each attempt. */
  readonly done: () => void;
}

/** What is being sent at the end may still be taken, or it would be sent once more at the next start. */
const GRACE_MS = 5000;

/** Sends what is due, each channel by itself and in order; a slow one holds up no other, nor the next look. */
export function createDelivery(deps: DeliverDeps): { start(): void; close(): Promise<void> } {
  const { channels, now, log, signal, state, change } = deps;
  const sending = new AbortController();
  const busy = new Map<string, Promise<void>>();

  const send = async (channel: Channel, delivery: Delivery) => {
    const { message } = delivery;
    try {
      await channel.send(message satisfies Message, sending.signal);
      change({ ...state(), outbox: delivered(state().outbox, delivery) });
    } catch (error) {
      if (sending.signal.aborted) return;
      const reason = messageOf(error);
      log.error(
        { channel: channel.name, alert: message.topic, reason },
        "an alert could not be delivered; it is tried again",
      );
      const failsAnew = !state().outbox.some((each) => each.channel === channel.name && each.failed !== null);
      const outbox = notDelivered(state().outbox, delivery, reason, now());
      const details = { channel: channel.name, kind: channel.kind, reason };
      const toRecord = failsAnew
        ? [...state().toRecord, { action: "channel.failed", outcome: "failed", details } as const]
        : state().toRecord;
      change({ ...state(), outbox, toRecord });
    }
  };

  return {
    start() {
      if (signal.aborted) return;
      for (const delivery of dueNow(state().outbox, now())) {
        const channel = channels.find(({ name }) => name === delivery.channel);
        if (!channel || busy.has(channel.name)) continue;
        const sent = send(channel, delivery).finally(() => {
          busy.delete(channel.name);
          deps.done();
        });
        busy.set(channel.name, sent);
      }
    },
    async close() {
      const hurry = setTimeout(() => sending.abort(), GRACE_MS);
      await Promise.all(busy.values());
      clearTimeout(hurry);
    },
  };
}
