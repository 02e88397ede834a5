import { cpuOfReaped, cpuOfThreads, cpuOfTrees } from "./processes.ts";
import { type Peaks, type SpoolMark, watchMemory, watchSpool } from "./sampling.ts";

export interface WorkerMeasured {
  /** CPU seconds of the worker by kind of thread, and of the programs that it ran as `programs`. */
  readonly client: Readonly<Record<string, number>>;
  /** CPU seconds of each server. */
  readonly servers: Readonly<Record<string, number>>;
  /** Memory of the worker itself since it started, and of each program that it ran. */
  readonly peaks: Peaks;
  readonly spool: SpoolMark;
}

/** Measures a worker, and the servers that it uses, from now until it is stopped. */
export function measureWorker(
  pid: number,
  spoolDir: string,
  servers: Readonly<Record<string, readonly number[]>>,
): { stop(): WorkerMeasured } {
  const before = { threads: cpuOfThreads(pid), programs: cpuOfReaped(pid), servers: cpuOfServers(servers) };
  const spool = watchSpool(spoolDir);
  const memory = watchMemory([pid]);
  return {
    stop() {
      const client = differences(cpuOfThreads(pid), before.threads);
      client["programs"] = cpuOfReaped(pid) - before.programs;
      return {
        client,
        servers: differences(cpuOfServers(servers), before.servers),
        peaks: named(memory.stop()),
        spool: spool.stop(),
      };
    },
  };
}

function cpuOfServers(servers: Readonly<Record<string, readonly number[]>>): Map<string, number> {
  return new Map(Object.entries(servers).map(([name, pids]) => [name, cpuOfTrees(pids)]));
}

function differences(after: Map<string, number>, before: Map<string, number>): Record<string, number> {
  return Object.fromEntries([...after].map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)]));
}

/** The worker is the only one among them that runs on Node. */
function named({ node = 0, ...programs }: Peaks): Peaks {
  return { worker: node, ...programs };
}
