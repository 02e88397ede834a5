import { parentPort, workerData } from "node:worker_threads";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { guardSite } from "@trivault/backup";
import { type Config, createLogger, type ErrorCode, hidePasswords, messageOf, TrivaultError } from "@trivault/core";
import { openTiers } from "@trivault/storage";
import { createObserver } from "./create-observer.ts";
import type { Observer } from "./observer.ts";

/** What the thread is asked; with `overview` goes the time of the one that is known already. */
export interface Asked {
  readonly id: number;
  readonly question: "overview" | "database" | "tier" | "run" | "refresh" | "close";
  readonly argument: string | null;
}

export type Reply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: ReplyError }
  /** A look is over. */
  | { readonly looked: string }
  /** A line of the log. */
  | { readonly line: string };

export interface ReplyError {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly permanent: boolean;
}

const port = parentPort;
if (port !== null) observe(workerData as Config, (reply) => port.postMessage(reply), port);

function observe(config: Config, send: (reply: Reply) => void, asks: NonNullable<typeof parentPort>): void {
  const log = createLogger(config.logLevel, "observer", { write: (line) => send({ line }) });
  guardSite(config);
  const tiers = openTiers(config.tiers);
  const audit = openAuditLog(auditFolder(config.backupDir), { log });
  const observer = createObserver({ config, tiers, audit, now: () => new Date(), log });
  observer.onLook(({ at }) => send({ looked: at }), new AbortController().signal);
  const close = async () => {
    await observer.close();
    await audit.close();
    await Promise.all(tiers.map(({ store }) => store.close()));
    asks.close();
  };
  asks.on("message", (asked: Asked) => {
    if (asked.question === "close") void close();
    else
      answer(observer, asked).then(
        (found) => send({ id: asked.id, answer: found }),
        (error: unknown) => send({ id: asked.id, error: replyErrorOf(error) }),
      );
  });
}

async function answer(observer: Observer, { question, argument }: Asked): Promise<unknown> {
  if (question === "database") return observer.database(argument ?? "");
  if (question === "tier") return observer.tier(argument ?? "");
  if (question === "run") return observer.run(argument ?? "");
  if (question === "refresh") return observer.refresh();
  const overview = await observer.overview();
  return overview.at === argument ? null : overview;
}

function replyErrorOf(error: unknown): ReplyError {
  const message = hidePasswords(messageOf(error));
  if (error instanceof TrivaultError) return { code: error.code, message, permanent: error.permanent };
  return { code: null, message, permanent: false };
}
