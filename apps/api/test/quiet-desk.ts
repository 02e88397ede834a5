import type { AlertDesk } from "@trivault/alerts";
import { TrivaultError } from "@trivault/core";

/** Where nobody evaluates: there is nothing to tell. */
export const quietDesk: AlertDesk = {
  current: () => [],
  ended: () => [],
  silence: ({ alert }) =>
    Promise.reject(
      new TrivaultError("NOT_FOUND", `No alert ${alert} is told: there is none now.`, { permanent: true }),
    ),
  unsilence: async () => false,
  test: async () => [],
  close: async () => undefined,
};
