import { background, type AlertsConfig, type Logger, messageOf } from "@trivault/core";
import { pingDeadMan } from "@trivault/notify";

/**
 * Calls the watcher elsewhere as long as this process lives and evaluates; when it does not, nobody calls, and the watcher
 * raises the alarm. `problem` says why the site is not healthy (null: it is), which is called in as a failure.
 */
export function startDeadMan(
  { url, everySeconds }: NonNullable<AlertsConfig["deadMan"]>,
  { problem, log }: { readonly problem: () => string | null; readonly log: Logger },
): { close(): Promise<void> } {
  const closing = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  const ping = async () => {
    try {
      await pingDeadMan(url, problem(), { signal: closing.signal, pausesMs: [1000, 4000] });
    } catch (error) {
      if (closing.signal.aborted) return;
      log.warn({ reason: messageOf(error) }, "the dead man's switch could not be called; it will raise the alarm");
    }
    if (!closing.signal.aborted) timer = setTimeout(again, everySeconds * 1000).unref();
  };
  const again = () => {
    running = background(ping());
  };
  let running = background(ping());
  return {
    async close() {
      closing.abort();
      if (timer !== null) clearTimeout(timer);
      await running;
    },
  };
}
