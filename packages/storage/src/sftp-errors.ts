import { codeOf, messageOf, settingOf, type SftpTierConfig, TrivaultError } from "@trivault/core";
import { refused } from "./store-errors.ts";

/** Status codes of SFTP version 3 (draft-ietf-secsh-filexfer-02, 7). There is none for "exists" or "no space": FAILURE. */
export const NO_SUCH_FILE = 2;
export const FAILURE = 4;
export const PERMISSION_DENIED = 3;
export const OP_UNSUPPORTED = 8;

export function statusOf(error: unknown): number | undefined {
  const known = typeof error === "object" && error !== null && "code" in error && typeof error.code === "number";
  return known ? (error.code as number) : undefined;
}

export function sftpError(error: unknown, description: string, doing: string): TrivaultError {
  if (error instanceof TrivaultError) return error;
  const because = `${description}: ${doing} failed: the server says "${messageOf(error)}"`;
  if (statusOf(error) === PERMISSION_DENIED) {
    return refused(
      `${because}. \`npm run backup:sync:test\` shows what this account may not do there, and what to do about it.`,
      error,
    );
  }
  return new TrivaultError("STORE_FAILED", `${because}. Look at free space, quota and the log of its SSH server.`, {
    cause: error,
  });
}

export function unreachable(description: string, why: string, cause?: unknown): TrivaultError {
  return new TrivaultError("STORE_UNREACHABLE", `${description}: ${why}`, { cause });
}

export const NO_SFTP = "the server lets the user in but does not start SFTP";

/** Why no connection came about, from what ssh2 threw. Only its messages distinguish the cases. */
export function connectError(error: unknown, config: SftpTierConfig, description: string): TrivaultError {
  if (error instanceof TrivaultError) return error;
  const said = messageOf(error);
  if (/authentication methods failed/i.test(said)) {
    return refused(
      `${description}: the server does not accept the key ${config.keyFile} for the user ${config.user}. Put the .pub file ` +
        `beside it into that user's ~/.ssh/authorized_keys on the server, or correct ${settingOf(config, "user")} or ${settingOf(config, "keyFile")}; the ` +
        "server's sshd log says why.",
      error,
    );
  }
  if (/no matching/i.test(said)) {
    return refused(`${description}: no common SSH algorithm (${said}). Update OpenSSH on that server.`, error);
  }
  if (said === NO_SFTP) {
    return unreachable(
      description,
      `${NO_SFTP}. Set \`Subsystem sftp internal-sftp\` in its sshd_config, and see that nothing in the user's start-up files ` +
        "prints or waits.",
      error,
    );
  }
  switch (codeOf(error)) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return unreachable(
        description,
        `its name is not known. Correct ${settingOf(config, "host")}, or look at DNS here.`,
        error,
      );
    case "ECONNREFUSED":
      return unreachable(
        description,
        `nothing listens there. Start sshd, or correct ${settingOf(config, "host")}.`,
        error,
      );
    default:
      return unreachable(
        description,
        `no connection came about (${said}). It is tried again later; if it lasts, look at the network, and at MaxStartups in ` +
          "the server's sshd_config.",
        error,
      );
  }
}
