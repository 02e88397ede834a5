import { tmpdir } from "node:os";
import { expect, it } from "@jest/globals";
import { keepProcess } from "./keep-process.ts";

it("puts back what a suite left behind in the process that the next one runs in", () => {
  const restore = keepProcess();
  const { console } = globalThis;
  const cwd = process.cwd();
  const listeners = process.listenerCount("SIGUSR2");
  const home = process.env["HOME"];

  process.env["LEFT_BEHIND"] = "1";
  process.env["HOME"] = "/elsewhere";
  process.on("SIGUSR2", () => {});
  process.chdir(tmpdir());
  globalThis.console = { ...console };
  restore();

  expect(process.env).not.toHaveProperty("LEFT_BEHIND");
  expect(process.env["HOME"]).toBe(home);
  expect(process.listenerCount("SIGUSR2")).toBe(listeners);
  expect(process.cwd()).toBe(cwd);
  expect(globalThis.console).toBe(console);
});
