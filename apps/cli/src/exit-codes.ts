/** What the exit status of every command means; `--help` and docs/cli.md say the same. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** It is in the queue, or was refused because of `--wait`: no worker listens to a queue that it needs. */
  noWorker: 3,
} as const;

export const EXIT_CODES_HELP = `
Exit codes:
  0    done, as asked
  1    failed; the reason is on stderr
  2    the command line is wrong
  3    no worker listens to a queue that this needs (run, sync, upload)
  129, 130, 143   ended by SIGHUP, SIGINT (Ctrl-C) or SIGTERM`;
