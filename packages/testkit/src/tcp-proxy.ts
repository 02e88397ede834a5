import { connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Bytes that clients have sent so far. */
  sent(): number;
  /** Resets every connection once clients have sent so many bytes from now on; later connections pass. */
  cutAfter(bytes: number): void;
  /** From now on swallows everything, both ways, without closing: what a dead link looks like. */
  blackhole(): void;
  /** Ends every connection and takes no other, as a server that is down. */
  down(): Promise<void>;
  /** Is there again, on the same port. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Stands between a client and a real server, and fails the way networks do. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let sent = 0;
  let cutAt = Number.POSITIVE_INFINITY;
  let silent = false;

  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ ...target, noDelay: true });
    const pair = [client, upstream];
    const reset = () => pair.forEach((socket) => socket.resetAndDestroy());
    const forward = (from: Socket, to: Socket, count: (bytes: number) => void) => {
      from.on("data", (chunk) => {
        count(chunk.length);
        if (sent >= cutAt) {
          cutAt = Number.POSITIVE_INFINITY;
          sockets.forEach((socket) => socket.resetAndDestroy());
        } else if (!silent && !to.write(chunk)) {
          from.pause();
          to.once("drain", () => from.resume());
        }
      });
      from.on("end", () => {
        if (!silent) to.end();
      });
      from.on("error", reset);
      from.on("close", () => {
        sockets.delete(from);
        if (!silent) to.destroy();
      });
      sockets.add(from);
    };
    forward(client, upstream, (bytes) => (sent += bytes));
    forward(upstream, client, () => {});
  });
  const listen = (at: number) => new Promise<void>((resolve) => server.listen(at, "127.0.0.1", resolve));
  await listen(0);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const down = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    port,
    sent: () => sent,
    cutAfter: (bytes) => (cutAt = sent + bytes),
    blackhole: () => (silent = true),
    down,
    up: () => listen(port),
    stop: down,
  };
}
