import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";

/** Keeps `+ id command`, forgets it at `- id`, and carries out what is left, the last first, when its input ends: when we are gone. */
const GUARD = `
$1 == "+" { id = last = $2; sub(/^[^ ]+ [^ ]+ /, ""); todo[id] = $0 }
$1 == "-" { delete todo[$2] }
END { for (id = last; id > 0; id--) if (id in todo) system(todo[id]) }`;

let guard: ChildProcess | undefined;
let count = 0;

/**
 * A shell command for when this process has ended, in whatever way: by itself, by Ctrl-C, or killed, when it can do nothing
 * any more. So servers, mounts and folders of a test go with it, those begun last first. Returns what takes the command back,
 * once it is done otherwise.
 */
export function whenGone(command: string): () => void {
  if (command.includes("\n")) throw new Error(`a command of one line, not ${JSON.stringify(command)}`);
  const id = ++count;
  const { stdin } = startGuard();
  stdin?.write(`+ ${id} ${command}\n`);
  return () => void stdin?.write(`- ${id}\n`);
}

/** One program for all that this process starts, in a session of its own, which Ctrl-C does not reach. */
export function startGuard(): ChildProcess {
  guard ??= launch();
  return guard;
}

function launch(): ChildProcess {
  const child = spawn("awk", [GUARD], { stdio: ["pipe", "ignore", "ignore"], cwd: "/", detached: true });
  child.once("error", (error) => process.stderr.write(`what tests start may outlive them: ${String(error)}\n`));
  child.stdin.on("error", () => {}); // it was killed: then nobody cleans up
  // It does not keep us here.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child;
}
