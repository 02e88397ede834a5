import * as maintenance from "@trivault/maintenance";
import { say } from "../../output.ts";

type Place = Parameters<typeof maintenance.lookAtSite>[0];

/** Looks, and reports on stderr what could not be asked. */
export async function lookAtSite(site: Place, signal: AbortSignal): Promise<maintenance.SiteLook> {
  const look = await maintenance.lookAtSite(site, signal);
  for (const { tier, reason } of look.unreachable) say(`The tier ${tier} could not be asked: ${reason}`);
  for (const { server, reason } of look.silentServers)
    say(`The server ${server} could not be asked for databases: ${reason}`);
  return look;
}
