import { type DestinationStream, type Logger, pino } from "pino";
import type { LogLevel } from "./config/model/types.ts";
import { visibleJson } from "./visible.ts";
import { hidePasswords } from "./hide-passwords.ts";
import { shorten } from "./shorten.ts";

export type { Logger } from "pino";

/** Characters of a message, and of a stack with those of its causes. */
const MOST = 16_000;

/** JSON lines on stderr (stdout belongs to a command's own output). URLs lose their passwords wherever they appear. */
export function createLogger(level: LogLevel, name: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      name,
      redact: {
        paths: ["password", "*.password", "token", "*.token", "authorization", "*.authorization"],
      },
      serializers: { err: boundedError },
      // On the finished line, so that it holds for messages, fields, bindings and stacks alike.
      hooks: { streamWrite: (line) => visibleJson(hidePasswords(line)) },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
}

export function silentLogger(): Logger {
  return pino({ level: "silent" });
}

/** As pino writes an error, its causes and stack among it; each text of foreign make is cut. */
function boundedError(error: Error): unknown {
  const written: unknown = pino.stdSerializers.err(error);
  if (typeof written !== "object" || written === null) return written;
  return Object.fromEntries(
    Object.entries(written).map(([name, value]) => [name, typeof value === "string" ? shorten(value, MOST) : value]),
  );
}
