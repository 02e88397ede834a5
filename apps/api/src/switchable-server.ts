import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { CONNECTION_MS, REQUEST_MS } from "./app.ts";

/** Longer than proxies keep an idle connection, so that it is they who close it. */
const KEEP_ALIVE_MS = 72_000;

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

export interface SwitchableServer {
  /** Resolves to the URL that it listens at. */
  listen(host: string, port: number): Promise<string>;
  /** Further requests go to `next`; resolves when those that the one before it has taken are answered. */
  switchTo(next: RequestListener): Promise<void>;
  /** Takes no new request, and lets running ones end. */
  close(): Promise<void>;
}

/** One listening socket for one application after another: none of them is ever unreachable. */
export function createSwitchableServer(first: RequestListener): SwitchableServer {
  let current = track(first);
  const server = createServer({ requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) =>
    current.take(request, response),
  );
  server.setTimeout(CONNECTION_MS);
  return {
    async listen(host, port) {
      const listening = Promise.withResolvers<void>();
      server.once("error", listening.reject);
      server.listen({ host, port }, listening.resolve);
      await listening.promise;
      server.off("error", listening.reject);
      const address = server.address();
      if (address === null || typeof address === "string") throw new TypeError("a TCP server has an address");
      return `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
    },
    async switchTo(next) {
      const before = current;
      current = track(next);
      await before.idle();
    },
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

interface Tracked {
  take: RequestListener;
  idle(): Promise<void>;
}

function track(listener: RequestListener): Tracked {
  let running = 0;
  let whenIdle: (() => void) | null = null;
  return {
    take(request, response) {
      running++;
      response.once("close", () => {
        running--;
        if (running === 0) whenIdle?.();
      });
      listener(request, response);
    },
    async idle() {
      if (running > 0) await new Promise<void>((resolve) => (whenIdle = resolve));
    },
  };
}
