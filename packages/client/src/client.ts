import { type ApiEvent, type EventOptions, readEvents } from "./events.ts";
import { OPERATIONS, type Operations, type Problem, type Route } from "./generated.ts";

export interface ClientOptions {
  /** Where the API is, such as `https://backup.example.org`. */
  readonly url: string;
  /** BACKUP_API_TOKEN, or one that `trivault token create` made. Null for a demo that is open. */
  readonly token: string | null;
  /** Instead of the global one. */
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  /** Makes it safe to ask again: the same key for the same request starts nothing else within a day. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** What the API refused, or could not do: match on `code`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  /** For whoever looks into the API's log. */
  readonly requestId: string | null;

  constructor({
    status,
    code,
    detail,
    requestId,
  }: Pick<Problem, "status" | "code" | "detail"> & { requestId: string | null }) {
    super(detail);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

type Method<Name extends keyof Operations> = Operations[Name] extends { input: infer Input; answer: infer Answer }
  ? // Where nothing has to be said, nothing need be.
    object extends Input
    ? (input?: Input, options?: CallOptions) => Promise<Answer>
    : (input: Input, options?: CallOptions) => Promise<Answer>
  : never;

/** A method for each operation of the API, named as in its OpenAPI document. */
export type Client = { readonly [Name in keyof Operations]: Method<Name> } & {
  /** What happens, as it happens. Connects again by itself, and misses nothing of the audit log meanwhile. */
  events(options?: EventOptions): AsyncGenerator<ApiEvent>;
};

export function createClient({ url, token, fetch: send = fetch }: ClientOptions): Client {
  const base = url.endsWith("/") ? url.slice(0, -1) : url;
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
  const call =
    (route: Route) =>
    async (input: Readonly<Record<string, unknown>> = {}, options: CallOptions = {}) => {
      const { path, body } = placed(route, input);
      const response = await send(base + path, {
        method: route.method,
        headers: {
          ...authorization,
          ...(body === null ? {} : { "content-type": "application/json" }),
          ...(options.idempotencyKey === undefined ? {} : { "idempotency-key": options.idempotencyKey }),
        },
        body,
        signal: options.signal ?? null,
      });
      if (!response.ok) throw await errorOf(response);
      if (response.status === 204) return undefined;
      return /^application\/json\b/.test(response.headers.get("content-type") ?? "")
        ? response.json()
        : response.text();
    };
  const methods = Object.fromEntries(Object.entries(OPERATIONS).map(([name, route]) => [name, call(route)]));
  const events = (options: EventOptions = {}) =>
    readEvents(
      (path, init) => send(base + path, { ...init, headers: { ...authorization, ...init.headers } }),
      errorOf,
      options,
    );
  return { ...methods, events } as Client;
}

/** The input, each part of it where the operation wants it. */
function placed(
  { path, query, body }: Route,
  input: Readonly<Record<string, unknown>>,
): { path: string; body: string | null } {
  const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
  const take = (name: string) => {
    const value = rest.get(name) as string | number | boolean | undefined;
    rest.delete(name);
    return value === undefined ? undefined : String(value);
  };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(take(name) ?? ""));
  const search = new URLSearchParams();
  for (const name of query) {
    const value = take(name);
    if (value !== undefined) search.set(name, value);
  }
  const suffix = search.size > 0 ? `?${search.toString()}` : "";
  return { path: filled + suffix, body: body ? JSON.stringify(Object.fromEntries(rest)) : null };
}

async function errorOf(response: Response): Promise<ApiError> {
  const { status } = response;
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null;
  const detail = problem?.detail ?? `The API answered ${status} ${response.statusText}.`;
  return new ApiError({ status, code: problem?.code ?? "UNKNOWN", detail, requestId: problem?.requestId ?? null });
}
