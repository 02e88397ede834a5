/**
 * What a child that `start` spawns writes is for this user alone (0600, 0700). The umask is the process's own, so it is
 * changed only for the fork.
 */
export function withPrivateUmask<T>(start: () => T): T {
  const before = process.umask(0o077);
  try {
    return start();
  } finally {
    process.umask(before);
  }
}
