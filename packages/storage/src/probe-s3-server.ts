import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { codeOf, messageOf, type S3TierConfig, settingOf } from "@trivault/core";
import { openTcp } from "./probe-network.ts";
import { ProbeFailure } from "./probe-steps.ts";
import { addressSetting } from "./s3-errors.ts";

/** What an S3 server shows to anybody: its address, its certificate, its clock. */

export interface Address {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number;
}

/** AWS refuses requests that are older or newer than 15 minutes. */
const SKEW_LIMIT_SECONDS = 5 * 60;

/** Where the SDK sends requests for the bucket, asked of the SDK itself; nothing is sent. */
export async function addressOf({ bucket, region, endpoint, pathStyle }: S3TierConfig): Promise<Address> {
  const client = new S3Client({
    region,
    ...(endpoint === null ? {} : { endpoint }),
    forcePathStyle: pathStyle,
    credentials: { accessKeyId: "none", secretAccessKey: "none" }, // nothing gets signed
  });
  const command = new HeadBucketCommand({ Bucket: bucket });
  let found: Address | undefined;
  command.middlewareStack.add(
    () => (args) => {
      const { request } = args as { request: { protocol: string; hostname: string; port?: number } };
      const { protocol, hostname } = request;
      const port = request.port ?? (protocol === "http:" ? 80 : 443);
      found = { protocol, hostname: hostname.replace(/^\[|\]$/g, ""), port };
      throw new Error("it was only asked where this would go");
    },
    { step: "build", name: "probeAddress" },
  );
  try {
    await client.send(command);
  } catch (error) {
    if (found === undefined) throw error;
  } finally {
    client.destroy();
  }
  if (found === undefined) throw new Error("the SDK sends requests nowhere");
  return found;
}

export async function reachServer(config: S3TierConfig, address: Address, signal: AbortSignal): Promise<string> {
  const { hostname, port, protocol } = address;
  try {
    if (protocol === "https:") return await reachTls(address, signal);
    const socket = await openTcp(hostname, port, signal);
    const where = `${socket.remoteAddress} port ${port}`;
    socket.destroy();
    return `${where}, without TLS`;
  } catch (error) {
    throw new ProbeFailure(
      `no connection to ${hostname} port ${port}: ${codeOf(error) ?? messageOf(error)}`,
      advice(error, config),
      error,
    );
  }
}

async function reachTls({ hostname, port }: Address, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connectTls({
    host: hostname,
    port,
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
    ALPNProtocols: ["http/1.1"],
  });
  const stop = () => socket.destroy(new Error("no answer in time"));
  signal.addEventListener("abort", stop, { once: true });
  socket.once("secureConnect", resolve);
  socket.once("error", reject);
  try {
    await promise;
    const until = new Date(socket.getPeerCertificate().valid_to).toISOString().slice(0, 10);
    return `${socket.remoteAddress} port ${port}, ${socket.getProtocol()}, certificate valid until ${until}`;
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
}

function advice(error: unknown, config: S3TierConfig): string {
  const endpoint = addressSetting(config);
  switch (codeOf(error)) {
    case "ECONNREFUSED":
      return `Nothing listens there: start that server, or correct ${endpoint}.`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `The certificate is for another name: correct ${endpoint}, or set ${settingOf(config, "pathStyle", true)}.`;
    case "CERT_HAS_EXPIRED":
      return "Renew the server's certificate (or set this machine's clock right).";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return "This machine does not know who signed the certificate: set NODE_EXTRA_CA_CERTS to a file with that authority.";
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return `No TLS is spoken there: if that is meant, let ${endpoint} begin with http://.`;
    default:
      return `Look at the network, the firewalls between here and there, and ${endpoint}.`;
  }
}

/** By the Date header of any answer. */
export async function readClock({ protocol, hostname, port }: Address, signal: AbortSignal): Promise<string> {
  const send = protocol === "http:" ? httpRequest : httpsRequest;
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const request = send({ method: "HEAD", host: hostname, port, path: "/", agent: false, signal }, (answer) => {
    answer.resume();
    resolve(answer.headers.date);
  });
  request.once("error", reject);
  request.end();
  const date = await promise;
  request.destroy();
  const skew = (Date.now() - Date.parse(date ?? "")) / 1000;
  if (Number.isNaN(skew)) return "the server does not send the time";
  const text = `this machine is ${Math.abs(skew).toFixed(0)} s ${skew < 0 ? "behind" : "ahead of"} the server`;
  if (Math.abs(skew) <= SKEW_LIMIT_SECONDS) return Math.abs(skew) < 2 ? "the same as the server's" : text;
  throw new ProbeFailure(
    text,
    "Set this machine's clock right (NTP: timedatectl set-ntp true); S3 refuses requests that are 15 minutes off.",
  );
}
