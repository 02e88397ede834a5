import { stat } from "node:fs/promises";
import { background, type Config, isPermanent, type Logger, messageOf } from "@trivault/core";

/** Looked at, since fs.watch sees nothing through bind mounts and loses files that an editor renames. */
const LOOK_EVERY_MS = 2000;

export interface ConfigEvent {
  readonly outcome: "loaded" | "refused";
  readonly file: string;
  /** Why it was refused: every problem found. */
  readonly message?: string;
}

export interface WatchOptions {
  /** In force now. */
  readonly config: Config;
  /** Where it is read from, or would be: a file that is made later is taken up as well. */
  readonly file: string;
  /** Reads it anew, given what is in force; throws where it is wrong. */
  readonly load: (inForce: Config) => Config;
  /** Brings another configuration into force. Where it throws, the old one must still be. */
  readonly reload: (config: Config) => Promise<void>;
  readonly onConfig: (event: ConfigEvent) => Promise<void>;
  readonly log: Logger;
  readonly lookEveryMs?: number;
}

/**
 * Takes up a configuration file that has changed, or refuses it whole: the old configuration then stays in force, and the
 * refusal is reported once for each change.
 */
export function watchConfig(options: WatchOptions): { close(): Promise<void> } {
  const { file } = options;
  let inForce = options.config;
  /** How the file was when it was last dealt with, and when it was last looked at. */
  let handled: string | null = null;
  let seen: string | null = null;
  let reported: string | null = null;
  /** A refusal was reported, and not its end. */
  let refused = false;
  let looking: Promise<void> | null = null;

  const refuse = async (error: unknown) => {
    refused = true;
    const message = messageOf(error);
    options.log.error({ file }, `the changed configuration is refused, the old one stays in force. ${message}`);
    await options.onConfig({ outcome: "refused", file, message });
  };
  const accept = async () => {
    refused = false;
    await options.onConfig({ outcome: "loaded", file });
  };
  const takeUp = async (state: string) => {
    let config: Config;
    try {
      config = options.load(inForce);
    } catch (error) {
      handled = state;
      await refuse(error);
      return;
    }
    if (JSON.stringify(config) === JSON.stringify(inForce)) {
      handled = state;
      // It is again what was in force all the time.
      if (refused) await accept();
      return;
    }
    try {
      await options.reload(config);
    } catch (error) {
      // What may pass by itself, such as a Redis that is away, is tried again at the next look.
      if (isPermanent(error)) handled = state;
      if (reported !== state) await refuse(error);
      reported = state;
      return;
    }
    handled = state;
    inForce = config;
    options.log.info({ file }, "the changed configuration is in force");
    await accept();
  };
  const look = async () => {
    const state = await fingerprint(file);
    // The same twice: not in the middle of being written.
    if (state !== handled && state === seen) await takeUp(state);
    seen = state;
  };

  const timer = setInterval(() => {
    looking ??= background(
      look()
        .catch((error: unknown) => options.log.error({ err: error }, "the configuration file could not be looked at"))
        .finally(() => (looking = null)),
    );
  }, options.lookEveryMs ?? LOOK_EVERY_MS);
  return {
    async close() {
      clearInterval(timer);
      await looking;
    },
  };
}

async function fingerprint(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch (error) {
    return messageOf(error);
  }
}
