import { codeOf, hidePasswords, type Logger, messageOf, TrivaultError, within } from "@trivault/core";
import type { DiagAPI } from "@opentelemetry/api";
import { type Queue, type Span, SpanKind, type Telemetry } from "bullmq";

/** An exporter that is away holds no shutdown up for longer. */
const FLUSH_MS = 3000;
/** BullMQ's own rounds (locks, stalled jobs, looking for work) would bury what a backup did. */
const KEPT = /^(?:add|process|retry|delay|fail|schedule) /;
const DROPPED: Span = {
  setSpanOnContext: (context) => context,
  setAttribute: () => undefined,
  setAttributes: () => undefined,
  addEvent: () => undefined,
  recordException: () => undefined,
  end: () => undefined,
};

const VARIABLES = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"] as const;

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** One backup is one trace: who asked for it, its dump, and what that started, whichever processes carried it out. */
export interface Tracing {
  /** For BullMQ, which hands the trace on with each job. */
  readonly telemetry: Telemetry;
  /** Says more of the span that is active here. */
  annotate(attributes: Attributes): void;
  /** Marks that span as failed. */
  fail(error: unknown): void;
  /** Calls `work` in a span of its own, a part of the trace that `headers` name, if they do; what it returns ends the span. */
  enter(name: string, headers: Readonly<Record<string, unknown>>, work: () => void): (attributes: Attributes) => void;
  /** Sends what is not yet sent. */
  close(): Promise<void>;
}

/**
 * Null where tracing is off: it is on where OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set. All
 * else that OpenTelemetry's variables say (headers, sampler, attributes, OTEL_SERVICE_NAME) its SDK reads itself.
 */
export async function startTracing(service: string, version: string, log: Logger): Promise<Tracing | null> {
  const { env } = process;
  const variable = VARIABLES.find((name) => env[name]);
  if (variable === undefined || env["OTEL_SDK_DISABLED"] === "true") return null;
  const endpoint = env[variable] ?? "";
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    throw new TrivaultError(
      "CONFIG_INVALID",
      `${variable} is ${hidePasswords(endpoint)}, which is no URL of a collector. Set it to one that takes OTLP over HTTP, such as http://collector:4318, or take it away.`,
      { permanent: true },
    );
  }
  // Loaded where it is wanted only: together they cost a start 0.2 s and 15 MB.
  const [api, { BullMQOtel }, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import("@opentelemetry/api"),
    import("bullmq-otel"),
    import("@opentelemetry/sdk-trace-node"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  logOnce(api.diag, log);
  const resource = resources
    .defaultResource()
    .merge(resources.resourceFromAttributes({ "service.name": service, "service.version": version }))
    .merge(resources.detectResources({ detectors: [resources.envDetector, resources.hostDetector] }));
  const provider = new sdk.NodeTracerProvider({
    resource,
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  const otel = new BullMQOtel({ tracerName: "trivault", version });
  const tracer = api.trace.getTracer("trivault", version);
  return {
    telemetry: {
      tracer: {
        startSpan: (name, options, context) =>
          KEPT.test(name) ? otel.tracer.startSpan(name, options, context) : DROPPED,
      },
      // BullMQ's loops begin outside of whatever span their worker was started in.
      contextManager: Object.assign(otel.contextManager, { root: () => api.ROOT_CONTEXT }),
    },
    annotate: (attributes) => void api.trace.getActiveSpan()?.setAttributes(attributes),
    fail(error) {
      const span = api.trace.getActiveSpan();
      span?.setAttributes({ "error.type": codeOf(error) ?? "UNKNOWN" });
      span?.setStatus({ code: api.SpanStatusCode.ERROR, message: messageOf(error) });
    },
    enter(name, headers, work) {
      const parent = api.propagation.extract(api.ROOT_CONTEXT, headers);
      const span = tracer.startSpan(name, { kind: api.SpanKind.SERVER }, parent);
      api.context.with(api.trace.setSpan(parent, span), work);
      return (attributes) => span.setAttributes(attributes).end();
    },
    async close() {
      await within(FLUSH_MS, provider.shutdown()).catch(() => undefined);
      api.diag.disable();
      api.trace.disable();
      api.context.disable();
      api.propagation.disable();
    },
  };
}

/** A collector that is away fails every few seconds: it is a warning the first time, and afterwards only a debug line. */
function logOnce(diag: DiagAPI, log: Logger): void {
  let warned = false;
  const write = (message: string, ...more: readonly unknown[]) => {
    log[warned ? "debug" : "warn"]({ detail: [message, ...more].map(messageOf).join(" ") }, "traces cannot be sent");
    warned = true;
  };
  const nothing = () => undefined;
  diag.setLogger({ error: write, warn: nothing, info: nothing, debug: nothing, verbose: nothing });
}

/** Jobs that are added together each begin a trace of their own; this is the option to add one with. */
export function traceOfItsOwn(queue: Queue, attributes: Attributes): { telemetry?: { metadata: string } } {
  const { telemetry } = queue.opts;
  if (!telemetry) return {};
  const { tracer, contextManager } = telemetry;
  const root = contextManager.root?.() ?? contextManager.active();
  const span = tracer.startSpan(`schedule ${queue.name}`, { kind: SpanKind.PRODUCER }, root);
  span.setAttributes(attributes);
  span.end();
  return { telemetry: { metadata: contextManager.getMetadata(span.setSpanOnContext(root)) } };
}

/** What a job is about, from its data and its result: names, ids and sizes. */
export function jobAttributes(data: unknown, result: object = {}): Attributes {
  const about: Record<string, unknown> = { ...(typeof data === "object" ? data : {}), ...result };
  const text = (key: string) => (typeof about[key] === "string" ? about[key] : undefined);
  const number = (key: string) => (typeof about[key] === "number" ? about[key] : undefined);
  return {
    "trivault.database": text("database"),
    "trivault.backup_id": text("backupId") ?? text("current"),
    "trivault.tier": text("to") ?? text("tier"),
    "trivault.bytes": number("bytes"),
  };
}
