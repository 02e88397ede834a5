import { createServer, type IncomingMessage, request as forward, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What the proxy does with the requests that `when` chooses (all, without one). */
export interface HttpFault {
  readonly when?: (method: string, url: string) => boolean;
  /** Waits so long before it goes on. */
  readonly delayMs?: number;
  /** Answers itself, as an S3 server refuses: `{ status: 503, code: "SlowDown" }`. */
  readonly answer?: { readonly status: number; readonly code: string };
}

export interface HttpProxy extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** From now on, until another is set; null lets everything pass. */
  fail(fault: HttpFault | null): void;
}

/** Stands between a client and a real HTTP server, and fails request by request, the way servers do. */
export async function startHttpProxy(target: string): Promise<HttpProxy> {
  let fault: HttpFault | null = null;
  const server = createServer((request, response) => {
    void serve(request, response, fault, target).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fail: (next) => (fault = next),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  fault: HttpFault | null,
  target: string,
): Promise<void> {
  const { method = "GET", url = "/", headers } = request;
  const chosen = fault !== null && (fault.when?.(method, url) ?? true) ? fault : null;
  if (chosen?.delayMs !== undefined) await sleep(chosen.delayMs);
  if (chosen?.answer !== undefined) {
    const { status, code } = chosen.answer;
    const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
    request.resume();
    response.writeHead(status, { "content-type": "application/xml" }).end(method === "HEAD" ? undefined : body);
    return;
  }
  const upstream = forward(new URL(url, target), { method, headers });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  upstream.once("response", resolve).once("error", reject);
  request.once("error", (error) => upstream.destroy(error));
  response.once("close", () => upstream.destroy());
  request.pipe(upstream);
  const answer = await promise;
  answer.once("error", () => response.destroy());
  response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
  answer.pipe(response);
}
