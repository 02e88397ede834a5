import { createHash } from "node:crypto";
import { type MailConfig, messageOf, TrivaultError } from "@trivault/core";
import nodemailer from "nodemailer";
import { oneLine, shorten } from "./text.ts";
import type { Mail } from "./types.ts";

const CONNECT_MS = 10_000;
const SILENCE_MS = 30_000;

export interface Mailer {
  /** Resolves once the server has taken it for all who shall get it; throws a TrivaultError CHANNEL_FAILED. */
  send(mail: Mail, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** One connection per mail: there are few. `ca`: besides those that Node knows (NODE_EXTRA_CA_CERTS), for tests. */
export function createMailer(config: MailConfig, { ca }: { readonly ca?: string } = {}): Mailer {
  const { host, port, security, user, password, from } = config;
  const transport = nodemailer.createTransport({
    host,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    ...(user === null || password === null ? {} : { auth: { user, pass: password } }),
    tls: { minVersion: "TLSv1.2", rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    // What a mail holds is given, and never fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = /@([^@>\s]+)>?$/.exec(from)?.[1] ?? "trivault.invalid";
  const idOf = (text: string) => `<${createHash("sha256").update(text).digest("hex").slice(0, 32)}@${domain}>`;
  return {
    async send(mail, signal) {
      signal.throwIfAborted();
      try {
        const sent = await transport.sendMail({
          from,
          to: [...mail.to],
          subject: oneLine(mail.subject),
          text: mail.text,
          html: mail.html,
          attachments: (mail.attachments ?? []).map(({ name, type, content }) => ({
            filename: name,
            contentType: type,
            content,
          })),
          // No holiday replies.
          headers: { "Auto-Submitted": "auto-generated" },
          ...(mail.id === undefined ? {} : { messageId: idOf(mail.id) }),
          ...(mail.topic === undefined ? {} : { references: idOf(`topic ${mail.topic}`) }),
          signal,
        });
        if (sent.rejected.length > 0) throw refused(config, sent.rejected.length, mail.to.length);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof TrivaultError ? error : failure(config, error);
      }
    },
    close: async () => transport.close(),
  };
}

function refused({ host }: MailConfig, count: number, of: number): TrivaultError {
  return new TrivaultError(
    "CHANNEL_FAILED",
    `The mail server ${host} took the mail for some, and refused ${count} of ${of} addresses. Correct the addresses in the configuration file.`,
    { permanent: true },
  );
}

/** nodemailer's errors have the reply's code, and which step failed. */
function failure(config: MailConfig, error: unknown): TrivaultError {
  const { host, port, security } = config;
  const { responseCode, code } = error as { responseCode?: unknown; code?: unknown };
  const status = typeof responseCode === "number" ? responseCode : null;
  const reason = shorten(hidden(config, oneLine(messageOf(error))), 300);
  const what =
    code === "EAUTH"
      ? "does not accept the login. Correct mail.user and mail.password in the configuration file"
      : status === null
        ? `did not take the mail. Look at mail.host, mail.port and mail.security (${security}) in the configuration file`
        : "refused the mail. Look at the sender and the addresses in the configuration file";
  return new TrivaultError("CHANNEL_FAILED", `The mail server ${host} (port ${port}) ${what}: ${reason}.`, {
    permanent: status !== null && status >= 500,
  });
}

function hidden({ password }: MailConfig, text: string): string {
  return password === null || password === "" ? text : text.replaceAll(password, "***");
}
