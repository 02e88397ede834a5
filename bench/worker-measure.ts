import { cpuOfReaped, cpuOfThreads } from "./processes.ts";
import { type Peaks, type SpoolMark, watchPrograms, watchSpool } from "./sampling.ts";

export interface WorkerMeasured {
  /** CPU seconds of the worker by kind of thread, and of the programs that it ran by name; `programs` is what no look saw. */
  readonly client: Readonly<Record<string, number>>;
  /** Memory of the worker itself since it started, and of each program that it ran. */
  readonly peaks: Peaks;
  readonly spool: SpoolMark;
}

/** Measures a worker from now until it is stopped. */
export function measureWorker(pid: number, spoolDir: string): { stop(): WorkerMeasured } {
  const before = { threads: cpuOfThreads(pid), programs: cpuOfReaped(pid) };
  const spool = watchSpool(spoolDir);
  const watch = watchPrograms([pid]);
  return {
    stop() {
      const client = differences(cpuOfThreads(pid), before.threads);
      const { peaks, cpu } = watch.stop();
      const { node: _ours, ...programs } = cpu;
      const seen = Object.values(programs).reduce((sum, seconds) => sum + seconds, 0);
      const rest = Math.max(0, cpuOfReaped(pid) - before.programs - seen);
      return { client: { ...client, ...programs, programs: rest }, peaks: named(peaks), spool: spool.stop() };
    },
  };
}

function differences(after: Map<string, number>, before: Map<string, number>): Record<string, number> {
  return Object.fromEntries([...after].map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)]));
}

/** The worker is the only one among them that runs on Node. */
function named({ node = 0, ...programs }: Peaks): Peaks {
  return { worker: node, ...programs };
}
