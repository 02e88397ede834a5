import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type Config, messageOf } from "@trivault/core";
import type { Expiry } from "./types.ts";

const HANDSHAKE_MS = 10_000;

interface Place {
  readonly host: string;
  readonly port: number;
  readonly startTls: boolean;
}

/** When the certificates end of the servers that this site depends on: S3 servers, mail server, dashboard. */
export async function certificateExpiries(
  config: Pick<Config, "tiers" | "monitoring" | "api">,
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<Expiry[]> {
  return Promise.all(
    placesOf(config).map(async (place): Promise<Expiry> => {
      const which = { kind: "certificate", name: `${place.host}:${place.port}` } as const;
      try {
        return { ...which, at: await expiryOf(place, signal) };
      } catch (error) {
        note(`the certificate of ${which.name} could not be looked at: ${messageOf(error)}`);
        return { ...which, at: null };
      }
    }),
  );
}

function placesOf({ tiers, monitoring, api }: Pick<Config, "tiers" | "monitoring" | "api">): Place[] {
  const urls = [...tiers.map((tier) => (tier.kind === "s3" ? tier.endpoint : null)), api.publicUrl];
  const places = urls.flatMap((url) => {
    if (url === null || !url.startsWith("https:")) return [];
    const { hostname, port } = new URL(url);
    return [{ host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? 443 : Number(port), startTls: false }];
  });
  const { mail } = monitoring;
  if (mail && mail.security !== "none") {
    places.push({ host: mail.host, port: mail.port, startTls: mail.security === "starttls" });
  }
  return [...new Map(places.map((place) => [`${place.host}:${place.port}`, place])).values()];
}

/** By a handshake. Whether the certificate is trusted is for those to say who use the server. */
async function expiryOf({ host, port, startTls }: Place, signal: AbortSignal): Promise<Date> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(HANDSHAKE_MS)]);
  const plain = connectTcp({ host, port });
  const stop = () => plain.destroy(new Error(`no handshake within ${HANDSHAKE_MS / 1000} s`));
  limit.addEventListener("abort", stop, { once: true });
  let secure: TLSSocket | null = null;
  try {
    await once(plain, "connect");
    if (startTls) await askForTls(plain);
    secure = connectTls({ socket: plain, rejectUnauthorized: false, ...(isIP(host) > 0 ? {} : { servername: host }) });
    await once(secure, "secureConnect");
    const at = new Date(secure.getPeerCertificate().valid_to);
    if (Number.isNaN(at.getTime())) throw new Error("it has no certificate");
    return at;
  } finally {
    limit.removeEventListener("abort", stop);
    secure?.destroy();
    plain.destroy();
  }
}

/** RFC 3207: greeting, EHLO, STARTTLS. */
async function askForTls(socket: Socket): Promise<void> {
  await reply(socket, null, 220);
  await reply(socket, "EHLO trivault", 250);
  await reply(socket, "STARTTLS", 220);
}

async function reply(socket: Socket, command: string | null, wanted: number): Promise<void> {
  if (command !== null) socket.write(`${command}\r\n`);
  let text = "";
  while (!/^\d{3}(?: .*)?\r?\n$/m.test(text.slice(text.lastIndexOf("\n", text.length - 2) + 1))) {
    text += String(await once(socket, "data"));
    if (text.length > 64 * 1024) throw new Error("it is no mail server");
  }
  if (!text.startsWith(String(wanted))) throw new Error(`the mail server answers ${text.slice(0, 100).trim()}`);
}

function once(socket: Socket, event: "connect" | "secureConnect" | "data"): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (value: unknown) => {
      socket.off(event, done);
      socket.off("error", failed);
      socket.off("close", ended);
      resolve(value);
    };
    const failed = (error: Error) => reject(error);
    const ended = () => reject(new Error("the connection was closed"));
    socket.once(event, done);
    socket.once("error", failed);
    socket.once("close", ended);
  });
}
