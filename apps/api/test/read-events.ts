import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { BEARER } from "./app-under-test.ts";

export interface ReceivedEvent {
  readonly event: string;
  readonly id: number | null;
  /** Looked into freely. */
  readonly data: ReturnType<typeof JSON.parse>;
}

export interface EventReader {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly events: readonly ReceivedEvent[];
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  /** Waits for such an event. */
  until(holds: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent>;
  close(): void;
}

/** A client of server-sent events, as small as can be. Resolves once the head of the answer is there. */
export function readEvents(
  url: string,
  { lastEventId, pause = false, token }: { lastEventId?: number; pause?: boolean; token?: string } = {},
): Promise<EventReader> {
  const caller = token === undefined ? BEARER : { authorization: `Bearer ${token}` };
  const headers = { ...caller, ...(lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) }) };
  const { promise, resolve, reject } = Promise.withResolvers<EventReader>();
  const request = get(url, { headers, agent: false }, (response) => {
    const events: ReceivedEvent[] = [];
    const over = Promise.withResolvers<void>();
    let rest = "";
    response.setEncoding("utf8");
    if (pause) response.pause();
    else
      response.on("data", (chunk: string) => {
        const blocks = (rest + chunk).split("\n\n");
        rest = blocks.pop() ?? "";
        events.push(...blocks.flatMap(parse));
      });
    response.once("close", () => over.resolve());
    response.once("error", () => over.resolve());
    resolve({
      status: response.statusCode ?? 0,
      headers: response.headers,
      events,
      ended: over.promise,
      async until(holds) {
        for (const end = Date.now() + 30_000; ; await sleep(50)) {
          const found = events.find(holds);
          if (found) return found;
          if (Date.now() > end) throw new Error(`no such event came: ${JSON.stringify(events.slice(-20))}`);
        }
      },
      close: () => request.destroy(),
    });
  });
  request.once("error", reject);
  return promise;
}

function parse(block: string): ReceivedEvent[] {
  const fields = new Map(
    block.split("\n").map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)] as const;
    }),
  );
  const [event, data, id] = [fields.get("event"), fields.get("data"), fields.get("id")];
  return event === undefined || data === undefined
    ? []
    : [{ event, id: id === undefined ? null : Number(id), data: JSON.parse(data) }];
}
