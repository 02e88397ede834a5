import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLogger, resolveConfig } from "@trivault/core";
import { startRedis } from "@trivault/testkit";
import autocannon from "autocannon";
import { startApi } from "../apps/api/src/serve.ts";
import { createProcessMetrics } from "@trivault/metrics";

/**
 * How soon the API answers: `node bench/api.ts [<seconds>] [<databases>]`. A real server with a real Redis, without its limit
 * of requests, which the load (in a thread of its own) would meet at once. Each request for a backup makes a job; no worker
 * takes them.
 */
const SECONDS = Number(process.argv[2] ?? 10);
const DATABASES = Number(process.argv[3] ?? 24);
const CONNECTIONS = [1, 10, 50];
const TOKEN = "a-token-of-the-bench-0123456789ab";

const folder = await mkdtemp(path.join(tmpdir(), "api-bench-"));
await using redis = await startRedis();
const processMetrics = createProcessMetrics("0.0.0");
const api = await startApi(await siteConfig(), redis.url, createLogger("error", "bench"), {
  processMetrics,
  tracing: null,
  requestsPerMinute: Number.MAX_SAFE_INTEGER,
});
try {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  console.log(`${DATABASES} databases, ${SECONDS} s each; milliseconds`);
  console.log("request                     connections   req/s     p50     p99     max  not 2xx");
  for (const connections of CONNECTIONS) {
    const body = JSON.stringify({ database: "db1" });
    await measure("POST /api/v1/backups", { method: "POST", headers, body }, connections);
    await measure("GET /api/v1/health", { method: "GET", headers }, connections);
  }
} finally {
  await api.close();
  processMetrics.close();
  await rm(folder, { recursive: true, force: true });
}

async function measure(
  name: string,
  request: { method: "GET" | "POST"; headers: Record<string, string>; body?: string },
  connections: number,
): Promise<void> {
  const url = `${api.url}${name.split(" ")[1]}`;
  await autocannon({ url, ...request, connections, duration: 2, workers: 1 }); // warm
  const { requests, latency, non2xx, errors } = await autocannon({
    url,
    ...request,
    connections,
    duration: SECONDS,
    workers: 1,
  });
  const cells = [requests.average.toFixed(0), latency.p50, latency.p99, latency.max, non2xx + errors];
  console.log(
    `${name.padEnd(28)}${String(connections).padStart(11)}${cells.map((cell) => String(cell).padStart(8)).join("")}`,
  );
}

async function siteConfig() {
  const file = path.join(folder, "trivault.config.yaml");
  const names = Array.from(
    { length: DATABASES },
    (_, n) => `  db${n + 1}: { url: "postgresql://u@127.0.0.1:1/db${n + 1}" }`,
  );
  await writeFile(file, `databases:\n${names.join("\n")}\n`, { mode: 0o600 });
  return resolveConfig(
    {
      BACKUP_CONFIG: file,
      BACKUP_ENCRYPTION: "none",
      BACKUP_DIR: path.join(folder, "backups"),
      BACKUP_API_PORT: "0",
      BACKUP_API_TOKEN: TOKEN,
    },
    "backup",
  );
}
