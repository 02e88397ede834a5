import { cpuOfTrees } from "./processes.ts";
import type { Source } from "./source.ts";
import type { Targets } from "./targets.ts";

/** CPU seconds by server. */
export type ServerCpu = Readonly<Record<string, number>>;

/** Measures what every server spends, from now until it is stopped. */
export function measureServers(source: Source, { sshd, ceph }: Targets): { stop(): ServerCpu } {
  const servers = {
    postgres: [source.postgres.pid],
    redis: [source.redis.pid],
    sshd: [sshd.pid],
    ceph: ceph.pids,
  };
  const now = () => Object.entries(servers).map(([name, pids]) => [name, cpuOfTrees(pids)] as const);
  const before = new Map<string, number>(now());
  return { stop: () => Object.fromEntries(now().map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)])) };
}
