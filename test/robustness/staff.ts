import { setTimeout as sleep } from "node:timers/promises";
import type { Ended } from "../../apps/cli/src/testing/ended.ts";
import { startCli } from "../../apps/cli/src/testing/start-cli.ts";
import { type Program, startProgram } from "../support/program.ts";
import { API_TOKEN, type World } from "./world.ts";

/** What no program of ours may ever say: it would be a mistake in our code, and not one of the operator or of a server. */
const CRASH = /unhandled|uncaught|\b(?:Type|Reference|Range|Syntax|Assertion)Error\b|ERR_INTERNAL|heap out of memory/i;
const TO_END_MS = 60_000;
const MOST_LINES = 40;

/** A program that is started again whenever it has ended, as systemd does. */
export interface Supervised {
  readonly name: string;
  /** What it says of itself when it can be used. */
  ready(): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** kill -9; after a moment there is another. */
  kill(): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

export interface Staff extends AsyncDisposable {
  readonly workers: readonly Supervised[];
  readonly api: Supervised;
  cli(args: readonly string[], options?: CliOptions): Promise<CliEnded>;
  /** Whether something may hit the commands from now on: such need processes of their own. */
  expectAccidents(some: boolean): void;
  /** Every CLI process that runs now. */
  killClis(): number;
  /** What went wrong since it was asked last: programs that ended by themselves, or crashed, or did not end. */
  problems(): string[];
  logs(): string;
}

export interface CliOptions {
  /** Then it is sent SIGINT, as by Ctrl-C. */
  readonly patienceMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface CliEnded extends Ended {
  /** Whether the driver ended it. */
  readonly cutOff: boolean;
}

/** A command line within this process, as callCli of the CLI's tests. */
export type CallCli = (args: readonly string[], call: { cwd: string; env: CliEnv; logs: true }) => Promise<Ended>;
type CliEnv = Readonly<Record<string, string>>;

/** `callCli`, where it is given, saves the start of a program for each command that nothing is to hit. */
export function startStaff(world: World, workerCount: number, callCli: CallCli | null): Staff {
  let problems: string[] = [];
  let accidents = false;
  const secrets = [
    API_TOKEN,
    world.postgres.password,
    world.env["AWS_SECRET_ACCESS_KEY"] ?? API_TOKEN,
    "AGE-SECRET-KEY-",
  ];
  const showsSecret = (text: string) => secrets.some((secret) => text.includes(secret));
  const notice = (name: string) => (line: string) => {
    if (showsSecret(line)) problems.push(`${name} shows a secret: ${line.slice(0, 600)}`);
    if (CRASH.test(line)) problems.push(`${name} says: ${line.slice(0, 600)}`);
  };
  const supervised = (name: string, app: "api" | "worker", ready: RegExp) =>
    supervise(
      name,
      () => startProgram(app, { cwd: world.folder, env: world.env, onLine: notice(name) }),
      ready,
      (problem) => problems.push(problem),
    );
  const workers = Array.from({ length: workerCount }, (_, index) =>
    supervised(`worker ${index + 1}`, "worker", /"(worker ready)"/),
  );
  const api = supervised("api", "api", /"url":"(http:[^"]+)","msg":"API ready"/);
  const judge = (args: readonly string[], ended: Ended, cutOff: boolean): CliEnded => {
    const crashed = CRASH.exec(ended.stderr) ?? /\n {4}at .*/.exec(ended.stderr);
    if (crashed) problems.push(`${args.join(" ")} says: ${ended.stderr.slice(-1500)}`);
    if (showsSecret(ended.stdout + ended.stderr)) problems.push(`${args.join(" ")} shows a secret: ${ended.stdout}`);
    if (!cutOff && ![0, 1, 3].includes(ended.code ?? -1))
      problems.push(`${args.join(" ")} ended with ${ended.code}: ${ended.stderr.slice(-800)}`);
    return { ...ended, cutOff };
  };
  const clis = new Map<ReturnType<typeof startCli>, { killed: boolean }>();
  return {
    workers,
    api,
    expectAccidents: (some) => void (accidents = some),
    async cli(args, { patienceMs = 120_000, env: more = {} } = {}) {
      const [cwd, env] = [world.folder, { ...world.env, ...more }];
      if (callCli !== null && !accidents) return judge(args, await callCli(args, { cwd, env, logs: true }), false);
      const cli = startCli(args, { cwd, env });
      const state = { killed: false };
      clis.set(cli, state);
      let interrupted = false;
      const patience = setTimeout(() => {
        interrupted = true;
        cli.kill("SIGINT");
      }, patienceMs);
      const limit = setTimeout(() => {
        problems.push(`${args.join(" ")} did not end within ${TO_END_MS / 1000} s of SIGINT`);
        cli.kill("SIGKILL");
      }, patienceMs + TO_END_MS);
      const ended = await cli.ended;
      clearTimeout(patience);
      clearTimeout(limit);
      clis.delete(cli);
      return judge(args, ended, interrupted || state.killed);
    },
    killClis() {
      for (const [cli, state] of clis) {
        state.killed = true;
        cli.kill("SIGKILL");
      }
      return clis.size;
    },
    problems() {
      const found = problems;
      problems = [];
      return found;
    },
    logs: () =>
      [...workers, api]
        .map((each) => `--- ${each.name}\n${each.log().split("\n").slice(-MOST_LINES).join("\n")}`)
        .join("\n"),
    async [Symbol.asyncDispose]() {
      for (const cli of clis.keys()) cli.kill("SIGKILL");
      await Promise.all([...workers, api].map((each) => each.stop()));
    },
  };
}

function supervise(name: string, start: () => Program, ready: RegExp, report: (problem: string) => void): Supervised {
  let stopped = false;
  let log = "";
  let killed = false;
  let program = start();
  const life = (async () => {
    for (;;) {
      const how = await program.exited;
      log = program.log();
      // One that cannot begin (Redis is away, the disk is full) says so and is started again; one that works stays.
      if (!killed && !stopped && (how !== 1 || ready.test(log)))
        report(`${name} ended by itself with ${how}: ${log.slice(-1500)}`);
      if (stopped) return;
      await sleep(500);
      killed = false;
      program = start();
    }
  })();
  return {
    name,
    async ready() {
      for (;;) {
        const found = await program.said(ready).catch(() => null);
        if (found !== null) return found;
        await sleep(100);
      }
    },
    signal: (signal) => program.signal(signal),
    async kill() {
      killed = true;
      await program.kill();
    },
    log: () => (program.log() === "" ? log : program.log()),
    async stop() {
      stopped = true;
      await program.kill();
      await life;
    },
  };
}
