import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { codeOf, type Logger, messageOf, TrivaultError } from "@trivault/core";
import { METRICS_TYPE, type ProcessMetrics } from "@trivault/metrics";

export interface MetricsServerDeps {
  readonly metrics: Pick<ProcessMetrics, "text">;
  /** Whether this worker can take jobs now. */
  readonly isHealthy: () => Promise<boolean>;
  readonly log: Logger;
}

export interface MetricsServer {
  /** Such as `http://127.0.0.1:9464`. */
  readonly url: string;
  close(): Promise<void>;
}

/** What a separate worker reports about itself. It asks for no token, so it belongs on loopback or a network of one's own. */
export async function startMetricsServer(
  { host, port }: { readonly host: string; readonly port: number },
  { metrics, isHealthy, log }: MetricsServerDeps,
): Promise<MetricsServer> {
  const answer = async ({ method, url }: IncomingMessage): Promise<Answer> => {
    if (method !== "GET" && method !== "HEAD") return text(405, "Only GET.");
    if (url === "/metrics") return { status: 200, type: METRICS_TYPE, body: await metrics.text() };
    if (url !== "/healthz") return text(404, "There are /metrics and /healthz.");
    const healthy = await isHealthy();
    return { status: healthy ? 200 : 503, type: "application/json", body: health(healthy) };
  };
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(request)
      .catch((error: unknown) => {
        log.error({ err: error }, "a request to the worker failed");
        return text(500, "This worker's log has more.");
      })
      .then((given) => send(response, given))
      .catch(() => response.destroy());
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject).listen(port, host, listening.resolve);
  try {
    await listening.promise;
  } catch (cause) {
    if (codeOf(cause) === undefined) throw cause;
    throw new TrivaultError(
      "CONFIG_INVALID",
      `The worker cannot listen on ${host} port ${port}: ${messageOf(cause)}. Set WORKER_METRICS_PORT to a free port (each worker of one machine needs its own), or WORKER_METRICS_HOST to an address of this machine.`,
      { permanent: true, cause },
    );
  }
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${bound}`;
  log.info({ url }, "metrics ready");
  return {
    url,
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function text(status: number, body: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${body}\n` };
}

function health(healthy: boolean): string {
  return JSON.stringify({ status: healthy ? "ok" : "unavailable" });
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
}
