import type { Events } from "./generated.ts";

export interface EventOptions {
  /** Only of this run or backup. */
  readonly backup?: string;
  /** Ends it. */
  readonly signal?: AbortSignal;
  /** The audit log from the event after this one on; without it, from now on. */
  readonly lastSeq?: number;
}

/** `record`: an event of the audit log. `run`: a run that moves. `overview`: the site was looked at. `reset`: look anew. */
export type ApiEvent = {
  readonly [Name in keyof Events]-?: { readonly event: Name; readonly data: NonNullable<Events[Name]> };
}[keyof Events];

type Send = (path: string, init: { headers: Record<string, string>; signal: AbortSignal | null }) => Promise<Response>;

const AGAIN_MS = 3000;

/** Server-sent events, read until the signal says so. An answer that is none (401, 429) is thrown. */
export async function* readEvents(
  send: Send,
  errorOf: (response: Response) => Promise<Error>,
  { backup, signal, lastSeq }: EventOptions,
): AsyncGenerator<ApiEvent> {
  const path = `/api/v1/events${backup === undefined ? "" : `?backup=${encodeURIComponent(backup)}`}`;
  const ended = () => signal?.aborted === true;
  let last = lastSeq;
  while (!ended()) {
    const headers = { accept: "text/event-stream", ...(last === undefined ? {} : { "last-event-id": String(last) }) };
    const response = await send(path, { headers, signal: signal ?? null }).catch(() => null);
    if (response !== null && !response.ok && response.status < 500) throw await errorOf(response);
    if (response?.ok && response.body) {
      for await (const { id, ...event } of eventsOf(response.body)) {
        if (id !== null) last = id;
        yield event as ApiEvent;
      }
    }
    if (!ended()) await pause(AGAIN_MS, signal);
  }
}

async function* eventsOf(body: ReadableStream<Uint8Array>) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  try {
    for (;;) {
      // A connection that breaks ends like one that is closed.
      const { done, value } = await reader.read().catch(() => ({ done: true as const, value: undefined }));
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = eventOf(block);
        if (event) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function eventOf(block: string): { event: string; id: number | null; data: unknown } | null {
  const fields = new Map(
    block.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trimStart()] as const;
    }),
  );
  const [event, data, id] = [fields.get("event"), fields.get("data"), fields.get("id")];
  if (event === undefined || data === undefined) return null;
  return { event, id: id === undefined ? null : Number(id), data: JSON.parse(data) as unknown };
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    signal?.addEventListener("abort", end, { once: true });
  });
}
