import type { AlertDesk } from "@trivault/alerts";
import { TrivaultError } from "@trivault/core";

/** Where nobody evaluates: there is nothing to report. */
export const quietDesk: AlertDesk = {
  current: () => [],
  ended: () => [],
  silence: ({ alert }) =>
    Promise.reject(new TrivaultError("NOT_FOUND", `No alert ${alert} fires: there is none now.`, { permanent: true })),
  unsilence: async () => false,
  test: async () => [],
  close: async () => undefined,
};
