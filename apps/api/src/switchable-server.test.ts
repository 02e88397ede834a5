import { expect, test } from "@jest/globals";
import { createSwitchableServer } from "./switchable-server.ts";

test("requests go to the next application at once, and end in the one that took them", async () => {
  const slow = Promise.withResolvers<void>();
  const taken = Promise.withResolvers<void>();
  const server = createSwitchableServer((_, response) => {
    taken.resolve();
    void slow.promise.then(() => response.end("old"));
  });
  const url = await server.listen("127.0.0.1", 0);
  try {
    const first = fetch(url).then((answer) => answer.text());
    await taken.promise;
    let oldIsIdle = false;
    const switched = server
      .switchTo((_, response) => void response.end("new"))
      .then(() => {
        oldIsIdle = true;
      });
    expect(await (await fetch(url)).text()).toBe("new");
    expect(oldIsIdle).toBe(false);
    slow.resolve();
    expect(await first).toBe("old");
    await switched;
    await server.switchTo((_, response) => void response.end("newest"));
    expect(await (await fetch(url)).text()).toBe("newest");
  } finally {
    await server.close();
  }
  await expect(fetch(url)).rejects.toThrow();
});

test("a port that is taken is an error", async () => {
  const server = createSwitchableServer(() => undefined);
  const url = new URL(await server.listen("127.0.0.1", 0));
  const other = createSwitchableServer(() => undefined);
  await expect(other.listen("127.0.0.1", Number(url.port))).rejects.toMatchObject({ code: "EADDRINUSE" });
  await server.close();
});
