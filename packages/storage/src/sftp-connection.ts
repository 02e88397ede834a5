import { connect as connectTcp, type Socket } from "node:net";
import { background, settingOf, type SftpTierConfig, type TrivaultError } from "@trivault/core";
import type { Client, ClientChannel, SFTPWrapper } from "ssh2";
import SftpClient from "ssh2-sftp-client";
import { changed, type HostKeyCheck, hostKeyCheck, typeOf } from "./ssh-host-key.ts";
import { readKeyFile } from "./ssh-key-file.ts";
import { connectError, NO_SFTP, unreachable } from "./sftp-errors.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

export interface SftpTimeouts {
  readonly connectTimeoutMs: number;
  /** How long a server may leave every request unanswered before it counts as unreachable. */
  readonly idleTimeoutMs: number;
}

/** What every server must take whole (RFC 4253, 6.1), without its head. */
const SAFE_REQUEST = 31_952;

type Done<T> = (error?: Error | null, value?: T) => void;

/** One SSH connection with SFTP on it, shared by any number of calls; once dead it stays dead. */
export interface SftpConnection {
  isDead(): boolean;
  /** The most bytes of one request that are sent as one packet. */
  readonly largest: { readonly read: number; readonly write: number };
  /** One SFTP request. Rejects with ssh2's error (a status code in `code`), or STORE_UNREACHABLE when the connection dies. */
  request<T>(send: (sftp: SFTPWrapper, done: Done<T>) => void): Promise<T>;
  /** Runs a command, where the server lets us. */
  openChannel(command: string): Promise<ClientChannel>;
  close(): Promise<void>;
}

/** Connects as the tier says. A server may have host keys of several types: each is asked for until one has the fingerprint. */
export async function connectSftp(
  config: SftpTierConfig,
  description: string,
  timeouts: SftpTimeouts,
): Promise<SftpConnection> {
  const privateKey = await readKeyFile(config);
  const seen: Buffer[] = [];
  for (;;) {
    const check = await hostKeyCheck(config, new Set(seen.map(typeOf)));
    let shown: Buffer | undefined;
    let problem: TrivaultError | null = null;
    const watched: HostKeyCheck = {
      algorithms: check.algorithms,
      problem(key) {
        shown = key;
        problem = check.problem(key);
        return problem;
      },
    };
    try {
      return await connectOnce(config, description, timeouts, privateKey, watched);
    } catch (error) {
      if (shown === undefined && seen.length > 0) throw changed(config, seen, settingOf(config, "hostKey"));
      if (problem === null || shown === undefined) throw connectError(error, config, description);
      if (!("fingerprint" in config.hostKey)) throw problem;
      seen.push(shown);
    }
  }
}

async function connectOnce(
  config: SftpTierConfig,
  description: string,
  timeouts: SftpTimeouts,
  privateKey: Buffer,
  hostKey: HostKeyCheck,
): Promise<SftpConnection> {
  // ssh2 leaves Nagle's algorithm on, which makes it fifty times slower; hence a socket of our own.
  const socket = await openSocket(config, timeouts.connectTimeoutMs);
  // Without callbacks of our own it prints every event on the console.
  const client = new SftpClient("trivault", { error() {}, end() {}, close() {} });
  const ssh = (client as unknown as { client: Client }).client; // documented, but not in its types
  let letIn = false;
  ssh.once("ready", () => (letIn = true));
  const readyMs = timeouts.connectTimeoutMs * 2;
  let timer: NodeJS.Timeout | undefined;
  // ssh2 waits for ever for a server that lets us in and then starts no SFTP.
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), readyMs);
  });
  try {
    const connected = background(
      client.connect({
        sock: socket,
        username: config.user,
        privateKey,
        authHandler: ["publickey"],
        hostVerifier: (key: Buffer) => hostKey.problem(key) === null,
        algorithms: {
          serverHostKey: hostKey.algorithms,
          // AES-GCM has hardware behind it on both ends; the others are for old servers.
          cipher: ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"],
        },
        readyTimeout: readyMs,
        keepaliveInterval: Math.min(15_000, timeouts.idleTimeoutMs),
        keepaliveCountMax: 3,
      }),
    );
    const sftp = await Promise.race([connected, tooLate]);
    return overConnection(ssh, sftp, socket, description, timeouts.idleTimeoutMs);
  } catch (error) {
    socket.destroy();
    throw letIn ? new Error(NO_SFTP, { cause: error }) : error;
  } finally {
    clearTimeout(timer);
  }
}

async function openSocket({ host, port }: SftpTierConfig, timeoutMs: number): Promise<Socket> {
  const socket = connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  socket.setTimeout(timeoutMs, () => reject(new Error(`no answer within ${Math.round(timeoutMs / 1000)} s`)));
  socket.once("connect", () => resolve(socket));
  socket.once("error", reject);
  try {
    await promise;
    socket.setTimeout(0);
    socket.off("error", reject);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/**
 * ssh2 knows OpenSSH's 256 KiB, believes a server that states its limit (limits@openssh.com), and else keeps to the 34,000 bytes that
 * each must take. It sends the first part of a longer write, and reads the others from the caller's buffer once that is
 * acknowledged: by then it may hold other bytes.
 */
function largestRequests(sftp: SFTPWrapper): SftpConnection["largest"] {
  const known = sftp as unknown as { readonly _maxReadLen?: number; readonly _maxWriteLen?: number }; // in no types
  return { read: known._maxReadLen ?? SAFE_REQUEST, write: known._maxWriteLen ?? SAFE_REQUEST };
}

/** ssh2 forgets callbacks when a connection breaks at the wrong moment; what is pending here is answered in any case. */
function overConnection(
  ssh: Client,
  sftp: SFTPWrapper,
  socket: Socket,
  description: string,
  idleTimeoutMs: number,
): SftpConnection {
  const pending = new Set<(error: Error) => void>();
  const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  let death: TrivaultError | undefined;
  let watchdog: Watchdog | undefined;

  function die(why: string, cause?: unknown): void {
    death ??= unreachable(description, `${why} It is tried again later; if it lasts, look at the network.`, cause);
    watchdog?.stop();
    socket.destroy();
    for (const reject of pending) reject(death);
    pending.clear();
  }
  ssh.on("error", (error) => die(`the connection broke (${error.message}).`, error));
  ssh.on("close", () => die("the connection was closed."));
  sftp.on("close", () => die("the server ended SFTP."));
  sftp.on("error", (error: Error) => die(`the server answered nonsense (${error.message}).`, error));

  function call<T>(send: (done: Done<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (death) {
        reject(death);
        return;
      }
      if (pending.size === 0) {
        const seconds = Math.round(idleTimeoutMs / 1000);
        watchdog = startWatchdog(idleTimeoutMs, () => die(`the server has not answered for ${seconds} s.`));
      }
      pending.add(reject);
      const done: Done<T> = (error, value) => {
        if (!pending.delete(reject)) return;
        if (pending.size === 0) watchdog?.stop();
        else watchdog?.moved();
        if (error) reject(error);
        else resolve(value as T);
      };
      try {
        send(done);
      } catch (error) {
        done(error as Error);
      }
    });
  }

  return {
    isDead: () => death !== undefined,
    largest: largestRequests(sftp),
    request: (send) =>
      call((done) => {
        // A write is eight SSH packets: one system call for all.
        socket.cork();
        try {
          send(sftp, done);
        } finally {
          // ssh2 throws for what the server does not offer: nothing else would ever be sent.
          process.nextTick(() => socket.uncork());
        }
      }),
    openChannel: (command) => call((done) => ssh.exec(command, done)),
    async close() {
      death ??= unreachable(description, "this client was closed.");
      watchdog?.stop();
      ssh.end();
      const timer = setTimeout(() => socket.destroy(), 1_000);
      await closed;
      clearTimeout(timer);
      die("this client was closed.");
    },
  };
}
