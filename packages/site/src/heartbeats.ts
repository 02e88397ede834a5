import { rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { VERSION } from "@trivault/backup";
import { background, type Config, DAY_MS, ensureFolder, publishJson, readdirOrEmpty, readJson } from "@trivault/core";
import { z } from "zod";

/**
 * A process of the site says every few seconds that it lives: `BACKUP_DIR/.trivault/heartbeats/<host>.<pid>.<n>.json`, one
 * for each service that it runs. So whoever watches learns of workers that died without asking the queue.
 */
export interface Heartbeat {
  readonly host: string;
  readonly pid: number;
  readonly service: "worker" | "api" | "trivault" | "monitor";
  readonly version: string;
  readonly startedAt: Date;
  /** By that process's own clock. */
  readonly at: Date;
  /** By the file system's clock, which all hosts of the site share. */
  readonly seenAt: Date;
  /** The queues that it takes jobs of. */
  readonly queues: readonly string[];
  /** When it last looked at the schedules; null where it does not. */
  readonly schedulesLookedAt: Date | null;
  /** Its clock's lead over Redis's, in seconds; null where that is not known. */
  readonly redisDriftSeconds: number | null;
}

export interface HeartbeatSource {
  readonly service: Heartbeat["service"];
  readonly queues?: readonly string[];
  readonly schedulesLookedAt?: () => Date | null;
  /** Answers at once, with what is known. */
  readonly redisDrift?: () => number | null;
}

type Place = Pick<Config, "backupDir">;

export const HEARTBEAT_MS = 10_000;

const time = z.iso.datetime().transform((text) => new Date(text));
const beatSchema = z.object({
  host: z.string(),
  pid: z.int(),
  service: z.enum(["worker", "api", "trivault", "monitor"]),
  version: z.string(),
  startedAt: time,
  at: time,
  queues: z.array(z.string()),
  schedulesLookedAt: time.nullable(),
  redisDriftSeconds: z.number().nullable(),
});

let started = 0;

/** Beats from now on. A beat that cannot be written is left out: whoever watches then sees silence, which is true enough. */
export function startHeartbeat(config: Place, source: HeartbeatSource): { close(): Promise<void> } {
  const { service, queues = [], schedulesLookedAt = () => null, redisDrift = () => null } = source;
  const startedAt = new Date();
  const file = path.join(folderOf(config), `${encodeURIComponent(hostname())}.${process.pid}.${started++}.json`);
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  const beat = async () => {
    try {
      await ensureFolder(folderOf(config));
      await publishJson(file, {
        host: hostname(),
        pid: process.pid,
        service,
        version: VERSION,
        startedAt,
        at: new Date(),
        queues,
        schedulesLookedAt: schedulesLookedAt(),
        redisDriftSeconds: redisDrift(),
      });
    } catch {
      // the next one may succeed
    }
    if (!closed) timer = setTimeout(again, HEARTBEAT_MS).unref();
  };
  const again = () => {
    beating = background(beat());
  };
  let beating = background(beat());
  return {
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await beating;
      await rm(file, { force: true }).catch(() => undefined);
    },
  };
}

/** The heartbeats of all processes, silent ones too; one that has been silent for a day is forgotten. */
export async function readHeartbeats(config: Place, now: Date): Promise<Heartbeat[]> {
  const folder = folderOf(config);
  const beats = await Promise.all((await readdirOrEmpty(folder)).map((name) => readBeat(path.join(folder, name), now)));
  return beats
    .filter((beat) => beat !== null)
    .toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)) || a.startedAt.getTime() - b.startedAt.getTime());
}

async function readBeat(file: string, now: Date): Promise<Heartbeat | null> {
  try {
    const { mtime: seenAt } = await stat(file);
    if (now.getTime() - seenAt.getTime() > DAY_MS) {
      await rm(file, { force: true });
      return null;
    }
    // A temporary file of a process that died lies here for its day, too.
    const beat = file.endsWith(".json") ? await readJson(file, beatSchema) : null;
    return beat && { ...beat, seenAt };
  } catch {
    return null; // gone meanwhile, or none of ours
  }
}

function nameOf({ host, service, pid }: Heartbeat): string {
  return `${host} ${service} ${pid}`;
}

function folderOf({ backupDir }: Place): string {
  return path.join(backupDir, ".trivault/heartbeats");
}
