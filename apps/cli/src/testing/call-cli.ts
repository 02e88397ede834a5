import fs from "node:fs";
import { Readable } from "node:stream";
import { jest } from "@jest/globals";
import { CommanderError } from "commander";
import { EXIT } from "../exit-codes.ts";
import { createProgram } from "../program.ts";
import type { Ended } from "./ended.ts";

export interface Call {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether log lines belong to what is returned as stderr, as they do of a process. */
  readonly logs?: boolean;
  /** What is piped in; nothing by default. Never the terminal of whoever runs the tests. */
  readonly stdin?: string;
}

let last: Promise<unknown> = Promise.resolve();

/**
 * The command line within this process, as run-cli.ts runs it: for tests whose subject is what a command does and says, and not
 * its process, at a hundredth of what the start of a program costs. One call at a time: it has the process's environment,
 * working directory and streams to itself. Log lines go past it, to the file descriptor, unless they are asked for.
 */
export function callCli(args: readonly string[], call: Call): Promise<Ended> {
  const turn = last.then(() => perform(args, call));
  last = turn.catch(() => {});
  return turn;
}

async function perform(args: readonly string[], { cwd, env = {}, logs = false, stdin = "" }: Call): Promise<Ended> {
  const before = { env: { ...process.env }, cwd: process.cwd(), exitCode: process.exitCode };
  const { PATH = "", HOME = "" } = before.env;
  const stdout = capture(process.stdout);
  const stderr = capture(process.stderr);
  const log = logs ? captureLog() : null;
  const giveBackStdin = replaceStdin(stdin);
  setEnvironment({ PATH, HOME, ...env });
  process.chdir(cwd);
  process.exitCode = undefined;
  let code = 0;
  try {
    await createProgram().parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } finally {
    code = exitCode();
    stdout.end();
    stderr.end();
    log?.end();
    giveBackStdin();
    setEnvironment(before.env);
    process.chdir(before.cwd);
    process.exitCode = before.exitCode;
  }
  return { code, stdout: stdout.text(), stderr: `${stderr.text()}${log?.text() ?? ""}` };
}

/** As the process would end; a function, since what a command sets is out of the compiler's sight. */
function exitCode(): number {
  return Number(process.exitCode ?? 0);
}

function setEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
}

function replaceStdin(text: string): () => void {
  const { stdin } = Object.getOwnPropertyDescriptors(process);
  Object.defineProperty(process, "stdin", { value: Readable.from(text === "" ? [] : [text]), configurable: true });
  return () => Object.defineProperty(process, "stdin", stdin);
}

function capture(stream: NodeJS.WriteStream) {
  let text = "";
  const spy = jest.spyOn(stream, "write").mockImplementation((piece, ...rest) => {
    text += typeof piece === "string" ? piece : Buffer.from(piece).toString();
    for (const done of rest) if (typeof done === "function") done();
    return true;
  });
  return { text: () => text, end: () => spy.mockRestore() };
}

/** What is written to the file descriptor of stderr. */
function captureLog() {
  let text = "";
  const write = fs.writeSync;
  const spy = jest.spyOn(fs, "writeSync").mockImplementation((...args: Parameters<typeof fs.writeSync>) => {
    const [fd, piece] = args;
    if (fd !== process.stderr.fd || typeof piece !== "string") return write(...args);
    text += piece;
    return Buffer.byteLength(piece);
  });
  return { text: () => text, end: () => spy.mockRestore() };
}
