/**
 * How often followers look at the files of the stage before them, where nobody wakes them: another process does the work of that
 * stage, or a program. inotify does not see NFS.
 */
const POLL_MS = 100;

/** Leases beat once a second, and nobody hurries to give a run up: every how many looks a follower checks them. */
export const LOOKS_PER_CHECK = 5;

/** Looks at the files of a run again and again, with a short pause between two looks. */
export interface Follower extends Disposable {
  /** Ends after `ms`, or at once where the run was nudged since the pause before this one; rejects with the signal's reason. */
  pause(signal: AbortSignal, ms?: number): Promise<void>;
}

/** By its folder (run-directory.ts). */
interface Run {
  readonly path: string;
}

type Wake = () => void;
const followers = new Map<string, Set<Wake>>();

/** Something of a run has changed: whoever follows it in this process looks at once. Others find out by themselves. */
export function nudge(run: Run): void {
  for (const wake of followers.get(run.path) ?? []) wake();
}

/** Before the first look, so that no nudge is lost between a look and the pause after it. */
export function followRun({ path }: Run): Follower {
  let nudged = false;
  let end = () => {};
  const wake: Wake = () => {
    nudged = true;
    end();
  };
  const others = followers.get(path) ?? new Set();
  followers.set(path, others.add(wake));
  return {
    async pause(signal, ms = POLL_MS) {
      signal.throwIfAborted();
      if (!nudged) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, ms);
        end = () => resolve();
        signal.addEventListener("abort", end);
        await promise;
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
      }
      nudged = false;
      signal.throwIfAborted();
    },
    [Symbol.dispose]() {
      others.delete(wake);
      if (others.size === 0 && followers.get(path) === others) followers.delete(path);
    },
  };
}
