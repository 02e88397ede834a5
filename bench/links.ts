import { execFile, spawnSync } from "node:child_process";
import { userInfo, networkInterfaces } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The rate of each link, in each direction. */
export const LINK_RATE = "400mbit";

/** A network namespace that this machine reaches only through a link of its own. */
export interface Link extends AsyncDisposable {
  readonly netns: string;
  /** The address of the far end: servers in the namespace listen here. */
  readonly host: string;
}

/** Why this machine cannot make links; null where it can. */
export async function whyNoLinks(): Promise<string | null> {
  if (process.platform !== "linux") return "network namespaces are a thing of Linux";
  if (userInfo().uid !== 0) return "making network namespaces needs root";
  try {
    await (await makeLink("probe"))[Symbol.asyncDispose]();
    return null;
  } catch (error) {
    return `the kernel or iproute2 refuses: ${error instanceof Error ? error.message.trim() : String(error)}`;
  }
}

/**
 * A pair of virtual network cards, one of them in a new namespace; each sends at LINK_RATE and queues for up to 20 ms what
 * comes faster (tc-tbf(8)). The burst is what the kernel lets pass in one timer tick (4 ms) at that rate.
 */
export async function makeLink(name: string): Promise<Link> {
  const netns = `tvbench-${process.pid}-${name}`;
  // At most 15 characters.
  const [near, far] = [`tvb${process.pid}${name[0]}n`, `tvb${process.pid}${name[0]}f`];
  const subnet = freeSubnet();
  const [nearHost, host] = [`${subnet}.1`, `${subnet}.2`];
  const inside = ["netns", "exec", netns];
  const removeNow = () => {
    // The pair goes with either end, also where a process still holds the namespace.
    spawnSync("ip", ["link", "del", near]);
    spawnSync("ip", ["netns", "del", netns]);
  };
  process.once("exit", removeNow);
  const remove = async () => {
    removeNow();
    process.off("exit", removeNow);
  };
  const limit = ["root", "tbf", "rate", LINK_RATE, "burst", "256kb", "latency", "20ms"];
  try {
    await run("ip", ["netns", "add", netns]);
    await run("ip", ["link", "add", near, "type", "veth", "peer", "name", far, "netns", netns]);
    await run("ip", ["addr", "add", `${nearHost}/24`, "dev", near]);
    await run("ip", ["link", "set", near, "up"]);
    await run("ip", [...inside, "ip", "addr", "add", `${host}/24`, "dev", far]);
    await run("ip", [...inside, "ip", "link", "set", far, "up"]);
    await run("ip", [...inside, "ip", "link", "set", "lo", "up"]);
    await run("tc", ["qdisc", "add", "dev", near, ...limit]);
    await run("ip", [...inside, "tc", "qdisc", "add", "dev", far, ...limit]);
  } catch (error) {
    await remove();
    throw error;
  }
  return { netns, host, [Symbol.asyncDispose]: remove };
}

/** The first 10.77.N that no card of this machine has. */
function freeSubnet(): string {
  const taken = new Set(Object.values(networkInterfaces()).flatMap((cards) => cards?.map((card) => card.address)));
  for (let n = 1; n < 255; n++) {
    if (!taken.has(`10.77.${n}.1`)) return `10.77.${n}`;
  }
  throw new Error("no subnet of 10.77.0.0/16 is free");
}
