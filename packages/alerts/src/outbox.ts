import { type ChannelConfig, DAY_MS, type Severity } from "@trivault/core";
import type { Message } from "@trivault/notify";
import { alertId } from "./alert-id.ts";
import type { Delivery, DeskState } from "./desk-state.ts";

/** What could not be delivered for so long is given up. */
const KEEP_MS = DAY_MS;
/** The limit for each channel; the oldest go first. */
const MOST_WAITING = 100;
const FIRST_PAUSE_MS = 60_000;
const MOST_PAUSE_MS = 900_000;

type Outbox = DeskState["outbox"];

/** For each channel that wants messages of that severity. A channel does not report its own failure. */
export function enqueue(
  outbox: Outbox,
  message: Message,
  severity: Severity,
  channels: readonly Pick<ChannelConfig, "name" | "from">[],
  now: Date,
): Outbox {
  const wanted = channels.filter(({ from }) => severity === "critical" || from === "warning");
  const added = wanted
    .filter(({ name }) => message.severity === "resolved" || !isAbout(message, name))
    .map(({ name }): Delivery => ({
      channel: name,
      message: { ...message, facts: message.facts.map(([a, b]) => [a, b]) },
      queuedAt: now,
      nextAt: now,
      attempts: 0,
      failed: null,
    }));
  return [...outbox, ...added];
}

/** Without what is too old, too much, or for a channel that there is not any more. */
export function pruned(outbox: Outbox, channels: readonly { readonly name: string }[], now: Date): Outbox {
  const names = new Set(channels.map(({ name }) => name));
  const last = new Map(outbox.map((delivery) => [delivery.channel, delivery]));
  const fresh = outbox.filter((delivery) => {
    if (!names.has(delivery.channel)) return false;
    // As long as a channel fails there is something to try it with, or it would seem well.
    const probes = delivery.failed !== null && last.get(delivery.channel) === delivery;
    return probes || now.getTime() - delivery.queuedAt.getTime() < KEEP_MS;
  });
  return [...names].reduce((left, name) => {
    const surplus = left.filter(({ channel }) => channel === name).length - MOST_WAITING;
    if (surplus <= 0) return left;
    const dropped = new Set(left.filter(({ channel }) => channel === name).slice(0, surplus));
    return left.filter((delivery) => !dropped.has(delivery));
  }, fresh);
}

/** The first of each channel whose time has come: a channel gets its messages in order. */
export function dueNow(outbox: Outbox, now: Date): Delivery[] {
  const first = [...Map.groupBy(outbox, ({ channel }) => channel).values()].flatMap(([delivery]) => delivery ?? []);
  return first.filter(({ nextAt }) => nextAt <= now);
}

export function delivered(outbox: Outbox, { channel, message }: Delivery): Outbox {
  return outbox.filter((each) => !(each.channel === channel && each.message.id === message.id));
}

/** It is tried again after a minute, then ever later; what is behind it waits. */
export function notDelivered(outbox: Outbox, { channel, message }: Delivery, reason: string, now: Date): Outbox {
  return outbox.map((each) => {
    if (each.channel !== channel || each.message.id !== message.id) return each;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** each.attempts, MOST_PAUSE_MS);
    return {
      ...each,
      attempts: each.attempts + 1,
      nextAt: new Date(now.getTime() + pause),
      failed: { since: each.failed?.since ?? now, reason },
    };
  });
}

export function failingChannels(outbox: Outbox): { name: string; since: Date; reason: string }[] {
  return outbox.flatMap(({ channel, failed }) => (failed ? [{ name: channel, ...failed }] : []));
}

function isAbout({ topic }: Message, channel: string): boolean {
  return topic.startsWith(`${alertId({ rule: "channel-failed", subject: channel })}.`);
}
