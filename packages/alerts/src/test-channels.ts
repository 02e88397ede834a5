import { randomUUID } from "node:crypto";
import { type Language, messageOf, TrivaultError } from "@trivault/core";
import type { Channel, Message } from "@trivault/notify";
import { TEXTS } from "./texts/all.ts";

export interface ChannelTest {
  readonly channel: string;
  readonly kind: string;
  readonly ok: boolean;
  readonly problem: string | null;
}

export async function testChannels(
  channels: readonly Channel[],
  name: string | null,
  language: Language,
  now: Date,
  signal: AbortSignal,
): Promise<ChannelTest[]> {
  const wanted = channels.filter((channel) => name === null || channel.name === name);
  if (name !== null && wanted.length === 0) {
    const there = channels.map((channel) => channel.name).join(", ");
    throw new TrivaultError(
      "NOT_FOUND",
      `No channel ${name} is configured: ${there === "" ? "there is none. `npm run backup:alerts:configure` makes one" : `there is ${there}`}.`,
      { permanent: true },
    );
  }
  const message: Message = {
    id: `test-${randomUUID()}`,
    severity: "info",
    language,
    ...TEXTS[language].test,
    facts: [],
    link: "/",
    at: now,
    topic: "test",
  };
  return Promise.all(
    wanted.map(async (channel): Promise<ChannelTest> => {
      const tried = { channel: channel.name, kind: channel.kind };
      try {
        await channel.send(message, signal);
        return { ...tried, ok: true, problem: null };
      } catch (error) {
        return { ...tried, ok: false, problem: messageOf(error) };
      }
    }),
  );
}
