import { type ConfigChange, TrivaultError } from "@trivault/core";

/** What `alerts configure` is given, by options or by answers. */
export interface Wanted {
  readonly channel?: string;
  readonly kind?: string;
  readonly from?: string;
  readonly urlEnv?: string;
  readonly botTokenEnv?: string;
  readonly chatId?: string;
  readonly tokenEnv?: string;
  readonly secretEnv?: string;
  readonly to?: readonly string[];
  readonly remove?: string;
  readonly mailHost?: string;
  readonly mailPort?: number;
  readonly mailSecurity?: string;
  readonly mailUser?: string;
  readonly mailPasswordEnv?: string;
  readonly mailFrom?: string;
  readonly deadManUrlEnv?: string;
  readonly deadManEvery?: string;
  readonly removeDeadMan?: boolean;
  /** Kept in the file itself: the channel's URL or bot token, and others. */
  readonly secrets?: { readonly channel?: string; readonly mailPassword?: string; readonly deadManUrl?: string };
}

const OF_CHANNEL = ["kind", "from", "urlEnv", "botTokenEnv", "chatId", "tokenEnv", "secretEnv", "to"] as const;
const OF_MAIL = ["mailHost", "mailPort", "mailSecurity", "mailUser", "mailPasswordEnv", "mailFrom"] as const;

/** What is to change in the file. A channel that is named again is written anew; of mail only what is given. */
export function changesOf(wanted: Wanted): ConfigChange[] {
  return [...channelChanges(wanted), ...mailChanges(wanted), ...deadManChanges(wanted)];
}

function channelChanges(wanted: Wanted): ConfigChange[] {
  const { channel, kind, remove, secrets = {} } = wanted;
  const changes: ConfigChange[] =
    remove === undefined ? [] : [{ at: ["alerts", "channels", remove], value: undefined }];
  if (channel === undefined) {
    const stray = OF_CHANNEL.find((key) => wanted[key] !== undefined);
    if (stray === undefined && secrets.channel === undefined) return changes;
    throw usage(`--channel is missing: of which channel is --${stray === undefined ? "stdin" : dashed(stray)}?`);
  }
  if (kind === undefined) throw usage("--kind is missing: what is the channel, such as slack or email?");
  const value: Record<string, unknown> = {};
  for (const key of OF_CHANNEL) if (wanted[key] !== undefined) value[key] = wanted[key];
  if (typeof value["chatId"] === "string" && /^-?\d{1,15}$/.test(value["chatId"]))
    value["chatId"] = Number(value["chatId"]);
  if (secrets.channel !== undefined) value[kind === "telegram" ? "botToken" : "url"] = secrets.channel;
  return [...changes, { at: ["alerts", "channels", channel], value }];
}

function mailChanges(wanted: Wanted): ConfigChange[] {
  const changes = OF_MAIL.flatMap((key): ConfigChange[] => {
    const value = wanted[key];
    const name = key.slice("mail".length);
    return value === undefined ? [] : [{ at: ["mail", `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`], value }];
  });
  const password = wanted.secrets?.mailPassword;
  if (password !== undefined) {
    return [
      ...changes,
      { at: ["mail", "passwordEnv"], value: undefined },
      { at: ["mail", "password"], value: password },
    ];
  }
  // One that was there in the file would stand beside it.
  return wanted.mailPasswordEnv === undefined ? changes : [{ at: ["mail", "password"], value: undefined }, ...changes];
}

function deadManChanges({ deadManUrlEnv, deadManEvery, removeDeadMan, secrets }: Wanted): ConfigChange[] {
  if (removeDeadMan) return [{ at: ["alerts", "deadMan"], value: undefined }];
  const url = secrets?.deadManUrl;
  const every = deadManEvery === undefined ? {} : { every: deadManEvery };
  if (url !== undefined) return [{ at: ["alerts", "deadMan"], value: { url, ...every } }];
  if (deadManUrlEnv !== undefined) return [{ at: ["alerts", "deadMan"], value: { urlEnv: deadManUrlEnv, ...every } }];
  return deadManEvery === undefined ? [] : [{ at: ["alerts", "deadMan", "every"], value: deadManEvery }];
}

function usage(message: string): TrivaultError {
  return new TrivaultError("INPUT_INVALID", message, { permanent: true });
}

function dashed(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
