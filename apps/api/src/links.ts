import type { QueueName } from "@trivault/core";

export const BACKUPS_PATH = "/api/v1/backups";
export const BOARD_PATH = "/queues";

export function linksOf(id: string): { self: string; queues: string } {
  return { self: `${BACKUPS_PATH}/${id}`, queues: BOARD_PATH };
}

/** A job that was started, and where it can be looked at. */
export function linkOfJob(queue: QueueName, id: string, tier: string | null) {
  const name = encodeURIComponent(id);
  const links = { self: `/api/v1/jobs/${queue}/${name}`, board: `${BOARD_PATH}/queue/${queue}/${name}` };
  return { queue, id, tier, links };
}
