import { hidePasswords, messageOf, within } from "@trivault/core";
import type { Heartbeat } from "@trivault/site";
import type { Observer, Overview } from "@trivault/monitor";
import type { Expiry, QueueSeen, QueuesSeen } from "./types.ts";

const OVERVIEW_MS = 30_000;

export interface LookDeps {
  readonly observer: Pick<Observer, "overview">;
  /** Null: there is no queue here to ask. */
  readonly queueStates: (() => Promise<readonly QueueSeen[]>) | null;
  readonly heartbeats: () => Promise<readonly Heartbeat[]>;
}

export interface Seen {
  /** The last one that could be made, and why it is not newer. */
  readonly overview: Overview | null;
  readonly problem: string | null;
  readonly queues: QueuesSeen;
  readonly heartbeats: readonly Heartbeat[];
}

/** What can be seen from outside; what cannot is reported as unknown, and holds up nothing. */
export async function look({ observer, queueStates, heartbeats }: LookDeps, before: Overview | null): Promise<Seen> {
  const [site, queues, beats] = await Promise.all([
    within(OVERVIEW_MS, observer.overview()).then(
      (overview) => ({ overview, problem: null }),
      (error: unknown) => ({ overview: before, problem: hidePasswords(messageOf(error)) }),
    ),
    queueStates === null
      ? null
      : queueStates().catch((error: unknown) => ({ unreachable: hidePasswords(messageOf(error)) })),
    heartbeats().catch(() => []),
  ]);
  return { ...site, queues, heartbeats: beats };
}

export interface TokenLife {
  readonly name: string;
  readonly expiresAt: Date | null;
}

export function tokenExpiries(tokens: readonly TokenLife[]): Expiry[] {
  return tokens.flatMap(({ name, expiresAt }) =>
    expiresAt === null ? [] : [{ kind: "token", name, at: expiresAt } as const],
  );
}
