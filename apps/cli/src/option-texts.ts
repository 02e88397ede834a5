/** The same option is described in the same words by every command; test `form.test.ts` holds them to it. */
export const OPTION_TEXTS = {
  json: "print one JSON object on stdout",
  dryRun: "print the plan, with the reason of each decision, and delete nothing",
  yes: "do not ask for confirmation",
  wait: "show progress until it is done",
  inline: "do it in this process: needs neither Redis nor workers",
} as const;
