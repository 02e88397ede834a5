import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { makeTempDir } from "./temp.ts";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string | null;
  /** The mail as it came. */
  readonly raw: string;
}

export interface MailServer extends AsyncDisposable {
  readonly port: number;
  /** The certificate of its own authority, for 127.0.0.1 and localhost. */
  readonly ca: string;
  readonly received: ReceivedMail[];
  /** Replies that come before a mail is taken: a status, such as 451. */
  readonly refusals: number[];
}

/** A real SMTP server; user `ann`, password `hunter2`. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const { key, cert } = await makeCertificate();
  const received: ReceivedMail[] = [];
  const refusals: number[] = [];
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    logger: false,
    onAuth: (auth, _session, callback) => {
      if (auth.username === "ann" && auth.password === "hunter2") callback(null, { user: auth.username });
      else callback(new Error(`wrong password ${auth.password}`));
    },
    onRcptTo: ({ address }, _session, callback) =>
      address.startsWith("nobody")
        ? callback(Object.assign(new Error("no such mailbox"), { responseCode: 550 }))
        : callback(),
    onData: (stream, session, callback) => {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        const status = refusals.shift();
        if (status !== undefined) return callback(Object.assign(new Error("not now"), { responseCode: status }));
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          secure: session.secure,
          user: typeof session.user === "string" ? session.user : null,
          raw: Buffer.concat(parts).toString("utf8"),
        });
        return callback();
      });
    },
    ...options,
  });
  server.on("error", () => undefined); // a client that does not trust the certificate
  const port = await new Promise<number>((resolve) => {
    const listener = server.listen(0, "127.0.0.1", () => {
      const address = listener.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  return {
    port,
    ca: cert,
    received,
    refusals,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/** Self-signed, so it is its own authority; `days` may be short. */
export async function makeCertificate(days = 30): Promise<{ key: string; cert: string }> {
  await using folder = await makeTempDir();
  const [key, cert] = [path.join(folder.path, "key.pem"), path.join(folder.path, "cert.pem")];
  const kind = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost".split(" ");
  const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", String(days)];
  await promisify(execFile)("openssl", [...kind, ...names, "-keyout", key, "-out", cert]);
  return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
}
