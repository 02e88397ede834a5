import { setTimeout as sleep } from "node:timers/promises";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { type S3TierConfig, TrivaultError } from "@trivault/core";
import { throwIfAborted } from "./cancellation.ts";
import { mayPass, s3Error } from "./s3-errors.ts";
import { startWatchdog } from "./watchdog.ts";

export interface S3Options {
  /** Default: the SDK's own chain (environment, profile, instance role, …). */
  readonly credentials?: NonNullable<S3ClientConfig["credentials"]>;
  readonly connectTimeoutMs?: number;
  /** How long no byte may move before the server counts as unreachable. */
  readonly idleTimeoutMs?: number;
}

interface Settings {
  readonly credentials: S3Options["credentials"] | undefined;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** One try of a request. */
export interface Call {
  /** Aborts when the caller does, and when the server has fallen silent. */
  readonly abortSignal: AbortSignal;
  /** Called when bytes moved. */
  readonly moved: () => void;
  readonly isRetry: boolean;
}

const ATTEMPTS = 3;

/** The SDK's client for a tier, and what goes around each of its requests: retries, the end of silence, our errors. */
export function s3Connection(config: S3TierConfig, description: string, settings: Settings) {
  const client = new S3Client({
    region: config.region,
    ...(config.endpoint === null ? {} : { endpoint: config.endpoint }),
    forcePathStyle: config.pathStyle,
    ...(settings.credentials ? { credentials: settings.credentials } : {}),
    // Its warnings (of streams that it cannot send again) are about what we do ourselves.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    // The default CRC-32 adds a trailer that some servers refuse or store; the signed SHA-256 says more.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // A body that streams cannot be sent again by the SDK: `attempt` opens the source anew.
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: settings.connectTimeoutMs,
      httpAgent: { keepAlive: true, maxSockets: 64 },
      httpsAgent: { keepAlive: true, maxSockets: 64 },
    }),
  });

  /** Up to three tries of what may pass, each ended when no byte moves, errors in our words. */
  async function attempt<T>(
    doing: string,
    signal: AbortSignal | undefined,
    work: (call: Call) => Promise<T>,
  ): Promise<T> {
    for (let tries = 1; ; tries++) {
      throwIfAborted(signal);
      const silence = new AbortController();
      const watchdog = startWatchdog(settings.idleTimeoutMs, () => silence.abort(silent(doing)));
      const abortSignal = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
      try {
        return await work({ abortSignal, moved: () => watchdog.moved(), isRetry: tries > 1 });
      } catch (error) {
        throwIfAborted(signal);
        if (silence.signal.aborted) throw silence.signal.reason;
        if (tries === ATTEMPTS || !mayPass(error)) throw s3Error(error, config, doing);
      } finally {
        watchdog.stop();
      }
      await sleep(Math.random() * 200 * 4 ** tries, undefined, { signal }).catch(() => {});
    }
  }

  function silent(doing: string): TrivaultError {
    const seconds = Math.round(settings.idleTimeoutMs / 1000);
    return new TrivaultError(
      "STORE_UNREACHABLE",
      `${description}: ${doing} was given up because no byte moved for ${seconds} s. It is tried again later; look at the ` +
        "network between here and the bucket if it lasts.",
    );
  }

  return { client, attempt, silent };
}
