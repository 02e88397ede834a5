import { createServer, type IncomingHttpHeaders } from "node:http";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A real HTTP server that remembers what it got, and answers what `next` holds, else 200. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  readonly next: Answer[];
}

export async function startReceiver(byDefault: Answer = { status: 200, body: '{"ok":true}' }): Promise<Receiver> {
  const received: Received[] = [];
  const next: Answer[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      received.push({ method, path, headers, body: Buffer.concat(parts).toString("utf8") });
      const { status, body = "", headers: extra = {} } = next.shift() ?? byDefault;
      response.writeHead(status, { connection: "close", ...extra }).end(body);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    next,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}
