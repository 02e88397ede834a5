import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import {
  createSampleDatabase,
  freePort,
  makeTempDir,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
  until,
} from "@trivault/testkit";
import { writeFile } from "node:fs/promises";
import { startProgram } from "./program.ts";

const TOKEN = "a-token-of-the-tests-0123456789";

/** A site as operators run it, an API and a worker of its own, with two local tiers, watched by Prometheus and OpenTelemetry. */
export interface WatchedSite extends AsyncDisposable {
  readonly folder: string;
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly token: string;
  readonly apiUrl: string;
  readonly workerUrl: string;
  readonly spans: readonly Span[];
  /** All that was sent to the receiver, as it came. */
  readonly sent: () => string;
  api(method: string, url: string, body?: object): Promise<Response>;
  /** Asks for a backup and waits until it is in all places. Returns its id. */
  backUp(): Promise<string>;
  /** Ends both programs in order; returns how long the slower one took. */
  stop(): Promise<number>;
}

export interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

export async function startWatchedSite(): Promise<WatchedSite> {
  const stack = new AsyncDisposableStack();
  try {
    const dir = stack.use(await makeTempDir("tv-watched"));
    const receiver = stack.use(await startReceiver());
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    stack.use(postgres);
    stack.use(redis);
    const database = await postgres.createDatabase("shop");
    await createSampleDatabase(database, { megabytes: 1 });
    await writeFile(
      path.join(dir.path, "trivault.config.yaml"),
      `tiers:\n  disk: { kind: local, directory: ${path.join(dir.path, "disk")} }\n`,
      { mode: 0o600 },
    );
    const port = await freePort();
    const env = {
      DATABASE_URL: database,
      REDIS_URL: redis.url,
      BACKUP_DIR: path.join(dir.path, "backups"),
      BACKUP_SPOOL_DIR: path.join(dir.path, "spool"),
      BACKUP_ENCRYPTION: "none",
      BACKUP_SCHEDULE: "off",
      BACKUP_OBJECTIVE: "1h",
      BACKUP_API_PORT: "0",
      BACKUP_API_TOKEN: TOKEN,
      WORKER_METRICS_PORT: `${port}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: "200",
    };
    const api = startProgram("api", { cwd: dir.path, env });
    const worker = startProgram("worker", { cwd: dir.path, env });
    stack.defer(() => api.kill());
    stack.defer(() => worker.kill());
    const [apiUrl] = await Promise.all([api.said(/"url":"([^"]+)".*"API ready"/), worker.said(/"worker ready"/)]);
    const ask = (method: string, url: string, body?: object) =>
      fetch(apiUrl + url, {
        method,
        headers: { authorization: `Bearer ${TOKEN}`, ...(body ? { "content-type": "application/json" } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    const workerUrl = `http://127.0.0.1:${port}`;
    await until(async () => (await fetch(`${workerUrl}/healthz`)).ok);
    return {
      folder: dir.path,
      postgres,
      redis,
      token: TOKEN,
      apiUrl,
      workerUrl,
      spans: receiver.spans,
      sent: () => receiver.sent(),
      api: ask,
      async backUp() {
        const answer = await ask("POST", "/api/v1/backups", { database: "shop" });
        if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
        const { id } = (await answer.json()) as { id: string };
        await until(async () => {
          const { status } = (await (await ask("GET", `/api/v1/backups/${id}`)).json()) as { status: string };
          if (status === "failed") throw new Error(`it failed: ${worker.log()}`);
          return status === "completed";
        });
        return id;
      },
      async stop() {
        const begun = performance.now();
        await Promise.all([api.end(), worker.end()]);
        return (performance.now() - begun) / 1000;
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly spans: Span[];
  sent(): string;
}

/** Takes traces by OTLP/HTTP with JSON (opentelemetry.io/docs/specs/otlp). */
async function startReceiver(): Promise<Receiver> {
  const spans: Span[] = [];
  let all = "";
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      all += text;
      if (request.url === "/v1/traces") spans.push(...spansOf(JSON.parse(text) as Export));
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    sent: () => all,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

type Attribute = { readonly key: string; readonly value: Readonly<Record<string, unknown>> };
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly attributes: readonly Attribute[];
        readonly status: { readonly code: number };
      }[];
    }[];
  }[];
}

function spansOf({ resourceSpans }: Export): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        service: String(valuesOf(resource.attributes)["service.name"]),
        name: span.name,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        attributes: valuesOf(span.attributes),
        failed: span.status.code === 2,
      })),
    ),
  );
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
