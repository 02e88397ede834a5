import type { ProgressDisplay } from "./progress.ts";

/** For how long Redis, or the last worker, may be away (a restart) before waiting makes no sense any more. */
const PATIENCE_MS = 60_000;

/** Something that should be there is not: bears it for a while, and says so once. */
export function absence(display: ProgressDisplay) {
  let since: number | null = null;
  return {
    tooLong(what: string): boolean {
      if (since === null) display.say(`${what}; waiting for up to ${PATIENCE_MS / 1000} s more`);
      since ??= performance.now();
      return performance.now() - since > PATIENCE_MS;
    },
    over(): void {
      since = null;
    },
  };
}
