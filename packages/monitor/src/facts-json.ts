import type { BackupFacts, StageFacts } from "./backup-facts.ts";

/**
 * Facts as lists without names, times counted from the first one, and a stage that went well at once without what that says: there
 * are very many, and this is a fifth of the text, and of the time to read it.
 */
export type FactsJson = readonly [
  backupId: string,
  actor: string,
  slot: string | null,
  firstAt: number,
  lasted: number,
  requestedAfter: number | null,
  dump: StageJson | null,
  encrypt: StageJson | null,
  adopted: StageJson | null,
  /** Names of tiers, and how each copy ended, in turn. */
  ...copies: readonly (string | StageJson)[],
];

type StageJson =
  | readonly [after: number, seconds: number, bytes: number, rows: number | null]
  | readonly [
      after: number,
      seconds: number,
      bytes: number,
      rows: number | null,
      outcome: StageFacts["outcome"],
      events: number,
      attempt: number,
      retried: boolean,
      code: string | null,
      message: string | null,
    ];

export function writeFacts(facts: BackupFacts): FactsJson {
  const { backupId, actor, slot, requestedAt, firstAt, lastAt, dump, encrypt, adopted, copies } = facts;
  const write = (stage: StageFacts | null) => stage && writeStage(stage, firstAt);
  return [
    backupId,
    actor,
    slot,
    firstAt,
    lastAt - firstAt,
    requestedAt === null ? null : requestedAt - firstAt,
    write(dump),
    write(encrypt),
    write(adopted),
    ...Object.entries(copies).flatMap(([tier, stage]) => [tier, writeStage(stage, firstAt)]),
  ];
}

function writeStage(stage: StageFacts, firstAt: number): StageJson {
  const { outcome, at, seconds, bytes, rows, events, attempt, retried, problem } = stage;
  const after = at - firstAt;
  const isPlain = outcome === "ok" && events === 1 && attempt === 1 && !retried && problem === null;
  if (isPlain) return [after, seconds, bytes, rows];
  const { code = null, message = null } = problem ?? {};
  return [after, seconds, bytes, rows, outcome, events, attempt, retried, code, message];
}

/** Throws TypeError for what `writeFacts` has not written. By hand, as a schema would take seconds for hundreds of thousands. */
export function readFacts(json: unknown, database: string): BackupFacts {
  if (!Array.isArray(json)) throw foreign();
  const all: readonly unknown[] = json;
  const firstAt = numberIn(all[3]);
  const copies: Record<string, StageFacts> = {};
  for (let index = 9; index < all.length; index += 2) copies[textIn(all[index])] = readStage(all[index + 1], firstAt);
  return {
    backupId: textIn(all[0]),
    database,
    actor: textIn(all[1]),
    slot: all[2] === null ? null : textIn(all[2]),
    requestedAt: all[5] === null ? null : firstAt + numberIn(all[5]),
    dump: all[6] === null ? null : readStage(all[6], firstAt),
    encrypt: all[7] === null ? null : readStage(all[7], firstAt),
    adopted: all[8] === null ? null : readStage(all[8], firstAt),
    copies,
    firstAt,
    lastAt: firstAt + numberIn(all[4]),
  };
}

const OUTCOMES = ["ok", "failed", "refused"] as const;

function readStage(json: unknown, firstAt: number): StageFacts {
  if (!Array.isArray(json)) throw foreign();
  const all: readonly unknown[] = json;
  const isPlain = all.length === 4;
  const outcome = isPlain ? "ok" : OUTCOMES.find((each) => each === all[4]);
  if (outcome === undefined) throw foreign();
  return {
    outcome,
    at: firstAt + numberIn(all[0]),
    seconds: numberIn(all[1]),
    bytes: numberIn(all[2]),
    rows: all[3] === null ? null : numberIn(all[3]),
    events: isPlain ? 1 : numberIn(all[5]),
    attempt: isPlain ? 1 : numberIn(all[6]),
    retried: !isPlain && all[7] === true,
    problem: isPlain || all[8] === null ? null : { code: textIn(all[8]), message: textIn(all[9]) },
  };
}

function numberIn(value: unknown): number {
  if (typeof value !== "number") throw foreign();
  return value;
}

function textIn(value: unknown): string {
  if (typeof value !== "string") throw foreign();
  return value;
}

function foreign(): TypeError {
  return new TypeError("these are no facts of a backup");
}
