import { afterAll, expect, test } from "@jest/globals";
import { TrivaultError } from "@trivault/core";
import { expectNoLeaks } from "@trivault/testkit";
import { type Chain, startChain } from "./chain.ts";
import { type Command, type Outcome, childEnv, statusOf } from "./child.ts";

afterAll(expectNoLeaks());

const sh = (name: string, script: string): Command => ({ name, file: "sh", args: ["-c", script], env: childEnv() });
const failure = (outcome: Outcome) =>
  new TrivaultError("DUMP_FAILED", `${outcome.name} ${statusOf(outcome)}: ${outcome.stderr}`);
const start = (...commands: Command[]): Promise<Chain> =>
  startChain(commands, { stdin: "ignore", stdout: "ignore", failure });

test("every status counts, that of the first program too", async () => {
  const chain = await start(sh("a", "echo x; exit 3"), sh("b", "cat"), sh("c", "cat"));
  await expect(chain.done).rejects.toThrow("a failed with exit status 3");
  expect((await (await start(sh("a", "echo x"), sh("b", "cat"))).done).seconds).toBeGreaterThan(0);
});

test.each([
  ["dies of the broken pipe", "exec yes"],
  ["reports the broken pipe", "trap '' PIPE; yes 2>/dev/null; echo 'write error: Broken pipe' >&2; exit 1"],
])("the program that broke a pipe is named, although the one before it %s first", async (_, writer) => {
  const reader = `exec <&-; sleep 0.3; echo 'disk full' >&2; exit 5`;
  await expect((await start(sh("a", writer), sh("b", reader))).done).rejects.toThrow(
    "b failed with exit status 5: disk full",
  );
});

test("a program that has read enough may end where that is allowed, and only with status 0", async () => {
  const head = (status: number) => sh("b", `head -c 1 > /dev/null; exit ${status}`);
  const chainOf = (last: Command, mayStopReading: boolean) =>
    startChain([sh("a", "exec yes"), last], { stdin: "ignore", stdout: "ignore", failure, mayStopReading });
  expect((await (await chainOf(head(0), true)).done).seconds).toBeGreaterThan(0);
  await expect((await chainOf(head(0), false)).done).rejects.toThrow(/^a /);
  await expect((await chainOf(head(4), true)).done).rejects.toThrow("b failed with exit status 4");
});

test("a program that breaks the pipe and then hangs is not waited for", async () => {
  const chain = await start(sh("a", "exec yes"), sh("b", "exec <&-; exec sleep 600"));
  await expect(chain.done).rejects.toThrow(/^a (was ended by signal SIGPIPE|failed with exit status 1)/);
});

test("a program that cannot be started fails the chain", async () => {
  const absent = { name: "absent", file: "/nonexistent/program", args: [], env: childEnv() };
  await expect((await start(absent, sh("b", "cat"))).done).rejects.toThrow(/absent .*(No such file|ENOENT)/s);
});
