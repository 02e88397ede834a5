export const BACKUPS_PATH = "/api/v1/backups";
export const BOARD_PATH = "/queues";

export function linksOf(id: string): { self: string; queues: string } {
  return { self: `${BACKUPS_PATH}/${id}`, queues: BOARD_PATH };
}
