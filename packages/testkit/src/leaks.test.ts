import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { createServer } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { expectNoLeaks } from "./leaks.ts";

const onLinux = process.platform === "linux" ? describe : describe.skip;

onLinux("expectNoLeaks", () => {
  test("passes where everything was closed", async () => {
    const check = expectNoLeaks();
    const file = await open(import.meta.filename);
    await file.close();
    const child = spawn("true");
    await once(child, "close");
    await check();
  });

  test.each([
    [
      "a child process",
      async () => {
        const child = spawn("sleep", ["60"], { stdio: "ignore" });
        await once(child, "spawn");
        return { release: () => child.kill("SIGKILL"), named: /child process \d+ \(sleep 60\)/ };
      },
    ],
    [
      "an open file",
      async () => {
        const file = await open(import.meta.filename);
        return { release: () => file.close(), named: /open file \d+ \(.*leaks\.test\.ts\)/ };
      },
    ],
    [
      "a listening socket",
      async () => {
        const server = createServer().listen(0, "127.0.0.1");
        await once(server, "listening");
        return { release: () => server.close(), named: /open file \d+ \(socket:/ };
      },
    ],
  ])("names %s that is left", async (_, leak) => {
    const check = expectNoLeaks();
    const { release, named } = await leak();
    await expect(check()).rejects.toThrow(named);
    await release();
    await check();
  });
});
