import { type DestinationStream, type Logger, pino } from "pino";
import type { LogLevel } from "./config/types.ts";
import { visibleJson } from "./visible.ts";

export type { Logger } from "pino";

/** JSON lines on stderr (stdout belongs to a command's own output). URLs lose their passwords wherever they appear. */
export function createLogger(level: LogLevel, name: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      name,
      redact: {
        paths: ["password", "*.password", "token", "*.token", "authorization", "*.authorization"],
      },
      // On the finished line, so that it holds for messages, fields, bindings and stacks alike.
      hooks: { streamWrite: (line) => visibleJson(hidePasswords(line)) },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
}

export function silentLogger(): Logger {
  return pino({ level: "silent" });
}

/** `postgresql://user:secret@host/db` → `postgresql://user:***@host/db`, anywhere in a text or a line of JSON. */
export function hidePasswords(text: string): string {
  // `\\.` keeps the escapes of JSON whole, and no password reaches past the quote that ends its string.
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@"\\]*:)(?:(?:[^\s/"\\]|\\.)+|(?:[^\s@"\\]|\\.)+)@/gi, "$1***@")
    .replaceAll(/([?&](?:ssl)?password=)(?:[^\s&"\\]|\\.)+/gi, "$1***");
}
