const exitProcess = process.exit.bind(process);

/** Remembers what a suite may change in the process, and returns what puts it back. */
export function keepProcess(): () => void {
  const env = { ...process.env };
  const { exitCode } = process;
  const cwd = process.cwd();
  const { console } = globalThis;
  const listeners = process.eventNames().map((event) => [event, process.rawListeners(event)] as const);
  return () => {
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
    process.exit = exitProcess;
    process.exitCode = exitCode;
    process.chdir(cwd);
    globalThis.console = console;
    const kept = new Map(listeners);
    for (const event of process.eventNames()) {
      for (const listener of process.rawListeners(event)) {
        if (!kept.get(event)?.includes(listener)) process.removeListener(event, listener as () => void);
      }
    }
  };
}
