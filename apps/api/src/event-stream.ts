import type { ServerResponse } from "node:http";

/** A comment, so that proxies and the caller see that it lives; and a look at whether it is read. */
const BEAT_MS = 15_000;
/** What a reader has not taken, beyond which it counts as gone. */
const MOST_UNREAD_BYTES = 512 * 1024;
/** What a browser waits before it connects again. */
const RETRY_MS = 3000;

export interface EventStream {
  /** False where the stream has ended. */
  readonly send: (event: string, data: unknown, id?: number) => boolean;
  readonly end: () => void;
}

/** Server-sent events (the HTML standard, 9.2) on a response whose head is still to be written. */
export function openEventStream(
  response: ServerResponse,
  headers: Readonly<Record<string, number | string | readonly string[] | undefined>>,
  onEnd: () => void,
): EventStream {
  const fixed = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  };
  response.writeHead(200, { ...(headers as Record<string, string>), ...fixed, connection: "close" });
  let open = true;
  const write = (text: string): boolean => {
    if (!open) return false;
    // Node keeps what the socket does not take; one who does not read must not cost us memory.
    if (response.writableLength > MOST_UNREAD_BYTES) {
      response.destroy();
      return false;
    }
    response.write(text);
    return true;
  };
  const beat = setInterval(() => write(":\n\n"), BEAT_MS);
  response.once("close", () => {
    open = false;
    clearInterval(beat);
    onEnd();
  });
  write(`retry: ${RETRY_MS}\n\n`);
  return {
    send(event, data, id) {
      const name = id === undefined ? "" : `id: ${id}\n`;
      return write(`event: ${event}\n${name}data: ${JSON.stringify(data)}\n\n`);
    },
    end() {
      if (open) response.end();
    },
  };
}
