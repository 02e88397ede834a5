/** Calls back when nothing has moved for `idleMs`. */
export interface Watchdog {
  moved(): void;
  stop(): void;
}

export function startWatchdog(idleMs: number, onSilence: () => void): Watchdog {
  const timer = setTimeout(onSilence, idleMs);
  return { moved: () => void timer.refresh(), stop: () => clearTimeout(timer) };
}
