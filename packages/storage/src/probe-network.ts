import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import { codeOf, messageOf } from "@trivault/core";
import { ProbeFailure } from "./probe-steps.ts";

export async function resolveHost(host: string, setting: string): Promise<string> {
  if (isIP(host) !== 0) return `${host} is an address`;
  try {
    const found = await lookup(host, { all: true });
    return `${host} is ${found.map(({ address }) => address).join(", ")}`;
  } catch (error) {
    throw new ProbeFailure(
      `the name ${host} is not known (${codeOf(error) ?? messageOf(error)})`,
      `Correct ${setting}, or look at this machine's DNS (/etc/resolv.conf).`,
      error,
    );
  }
}

export async function openTcp(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host, port });
  const stop = () => socket.destroy(new Error("no answer in time"));
  signal.addEventListener("abort", stop, { once: true });
  socket.once("connect", () => resolve(socket));
  socket.once("error", reject);
  return promise.finally(() => signal.removeEventListener("abort", stop));
}
