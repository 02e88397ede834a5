import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, TrivaultError } from "@trivault/core";
import { oneLine, shorten } from "./text.ts";

const ATTEMPT_MS = 10_000;
/** A server that asks for more patience gets the message again later, with the deliveries that failed. */
const MOST_WAIT_MS = 60_000;
const ANSWER_CHARS = 16 * 1024;

export interface PostOptions {
  readonly signal: AbortSignal;
  /** Pauses between attempts. */
  readonly pausesMs?: readonly number[];
}

export const PAUSES_MS: readonly number[] = [1000, 4000, 15_000];

export interface Request {
  /** As in error texts: `Slack`, `the webhook`. */
  readonly to: string;
  /** A secret. */
  readonly url: string;
  readonly method?: "POST" | "GET";
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Texts of the URL, and whatever else may not be shown. */
  readonly secrets?: readonly string[];
  /** Where a service says that it will not have it with a status of success. */
  readonly refusal?: (answer: string) => string | null;
}

/**
 * Sends it, and again after 408, 425, 429 (as long as `Retry-After` says), 5xx, or where the network failed. Redirects are
 * not followed: a message would go where nobody configured it to.
 */
export async function post(request: Request, { signal, pausesMs = PAUSES_MS }: PostOptions): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const failure = await once(request, signal);
    if (failure === null) return;
    const pause = pausesMs[attempt];
    const wait = Math.max(pause ?? 0, failure.waitMs);
    if (failure.permanent || pause === undefined || wait > MOST_WAIT_MS) {
      throw new TrivaultError("CHANNEL_FAILED", failure.message, { permanent: failure.permanent });
    }
    await sleep(wait, undefined, { signal });
  }
}

interface Failure {
  readonly message: string;
  readonly permanent: boolean;
  readonly waitMs: number;
}

async function once(request: Request, signal: AbortSignal): Promise<Failure | null> {
  const { to, url, method = "POST", body, headers = {}, refusal = () => null } = request;
  const hide = hiding([url, ...(request.secrets ?? [])]);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    return {
      message: `${to} has no http or https URL. Correct it in the configuration file.`,
      permanent: true,
      waitMs: 0,
    };
  }
  try {
    const answer = await fetch(url, {
      method,
      redirect: "manual",
      headers: { "user-agent": "trivault", ...headers },
      ...(method === "POST" ? { body } : {}),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]),
    });
    const text = (await answer.text()).slice(0, ANSWER_CHARS);
    const refused = answer.ok ? refusal(text) : shown(text);
    if (answer.ok && refused === null) return null;
    const { status } = answer;
    const transient = status >= 500 || status === 408 || status === 425 || status === 429;
    const why = refused ? ` (${hide(refused)})` : "";
    return {
      message: `${to} answered ${status}${why}. ${advice(status)}`,
      permanent: !transient,
      waitMs: transient ? waitOf(answer.headers.get("retry-after"), text) : 0,
    };
  } catch (error) {
    signal.throwIfAborted();
    const late = (Object(error) as { name?: unknown }).name === "TimeoutError";
    const why = late ? `no answer within ${ATTEMPT_MS / 1000} s` : hide(networkReason(error));
    return {
      message: `${to} cannot be reached: ${why}. Look at its address in the configuration file, and at this machine's network.`,
      permanent: false,
      waitMs: 0,
    };
  }
}

function advice(status: number): string {
  if (status === 429) return "It takes no more for now; the message is sent again later.";
  if (status >= 500 || status === 408 || status === 425) return "The message is sent again later.";
  if (status >= 300 && status < 400)
    return "It redirects, which is not followed: configure the address where it leads.";
  if (status === 401 || status === 403)
    return "It does not accept the token or the URL: make a new one and configure that.";
  if (status === 404 || status === 410) return "Nothing is there (any more): make a new URL there, and configure that.";
  return "It does not take the message: look at the channel's settings in the configuration file.";
}

/** The header's seconds or date; in the answer Discord says `retry_after`, Telegram `parameters.retry_after`. */
function waitOf(header: string | null, text: string): number {
  if (header !== null && /^\d+(?:\.\d+)?$/.test(header.trim())) return Number(header) * 1000;
  const date = header === null ? Number.NaN : Date.parse(header);
  if (!Number.isNaN(date)) return Math.max(0, date - Date.now());
  return Number(/"retry_after"\s*:\s*(\d+(?:\.\d+)?)/.exec(text)?.[1] ?? 0) * 1000;
}

/** What an answer says, where it is not a web page. */
function shown(text: string): string {
  return /^\s*</.test(text) ? "" : shorten(oneLine(text), 200);
}

/** fetch says `fetch failed` and has the reason inside. */
function networkReason(error: unknown): string {
  const { cause = error } = Object(error) as { cause?: unknown };
  const code = codeOf(cause);
  const { message = String(cause) } = Object(cause) as { message?: string };
  return code === undefined || message.includes(code) ? message : `${message} (${code})`.trim();
}

/** A URL that is a secret shows in no text, nor do its parts. */
function hiding(secrets: readonly string[]): (text: string) => string {
  const parts = secrets.flatMap((secret) => {
    if (!URL.canParse(secret)) return [secret];
    const { pathname, search, username, password } = new URL(secret);
    return [secret, pathname, ...pathname.split("/"), search, username, password];
  });
  const long = [...new Set(parts)].filter((part) => part.length >= 6).toSorted((a, b) => b.length - a.length);
  return (text) => long.reduce((hidden, part) => hidden.replaceAll(part, "***"), text);
}
