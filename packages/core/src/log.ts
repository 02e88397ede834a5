import { type DestinationStream, type Logger, pino, stdSerializers } from "pino";
import type { LogLevel } from "./config/types.ts";

export type { Logger } from "pino";

/** JSON lines on stderr (stdout belongs to a command's own output). URLs lose their passwords wherever they appear. */
export function createLogger(level: LogLevel, name: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      name,
      redact: {
        paths: ["url", "*.url", "password", "*.password", "token", "*.token", "authorization", "*.authorization"],
      },
      serializers: { err: (error: Error) => scrub(stdSerializers.err(error)) },
      formatters: { log: (fields) => scrub(fields) as Record<string, unknown> },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
}

export function silentLogger(): Logger {
  return pino({ level: "silent" });
}

/** `postgresql://user:secret@host/db` → `postgresql://user:***@host/db`, anywhere in a text. */
export function hidePasswords(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@]+@/gi, "$1***@");
}

function scrub(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return hidePasswords(value);
  if (depth > 4 || typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return scrub(stdSerializers.err(value), depth + 1);
  if (Array.isArray(value)) return value.map((item) => scrub(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, scrub(inner, depth + 1)]));
}
