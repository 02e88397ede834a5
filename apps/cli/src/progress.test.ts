import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { barText, showProgress, type Task } from "./progress.ts";

const MiB = 1024 * 1024;
const dump: Task = { name: "dump", state: "active", bytes: 10 * MiB, totalBytes: null };

describe("in a pipe", () => {
  function piped() {
    const stream = new PassThrough();
    let time = 0;
    const display = showProgress(stream, () => time);
    return {
      display,
      pass: (ms: number) => {
        time += ms;
      },
      written: () => String(stream.read() ?? ""),
    };
  }

  test("amounts come as plain lines, at most one in five seconds", () => {
    const { display, pass, written } = piped();
    for (let i = 0; i < 60; i++) {
      display.update([dump, { name: "encrypt", state: "active", bytes: MiB, totalBytes: 4 * MiB }]);
      pass(250);
    }
    expect(written()).toBe("dump 10.0 MiB, encrypt 1.0 MiB of 4.0 MiB\n".repeat(2));
  });

  test("9.C22 names and messages of strangers do nothing to a terminal, and begin no line of their own", () => {
    const { display, written } = piped();
    display.update([{ ...dump, name: "local\u001B[2J\nfake", state: "completed" }]);
    display.say("PostgreSQL says\u009B31m\ndump: done (1 TiB)\r");
    expect(written()).toBe("local\\x1b[2J\\nfake: done (10.0 MiB)\nPostgreSQL says\\x9b31m\n  dump: done (1 TiB)\\r\n");
  });

  test("the end of a stage is shown at once, and once", () => {
    const { display, written } = piped();
    display.update([dump]);
    display.update([{ ...dump, state: "retrying" }]);
    display.update([{ ...dump, state: "completed" }]);
    display.update([{ ...dump, state: "completed" }]);
    display.say("a note");
    display.stop();
    expect(written()).toBe("dump: is tried again (10.0 MiB)\ndump: done (10.0 MiB)\na note\n");
  });
});

describe("on a terminal", () => {
  test("bars stand below the notes, show the last state when they stop, and give the cursor back", () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 120 });
    const display = showProgress(stream);
    display.update([dump]);
    display.say("a note");
    display.update([{ ...dump, state: "completed" }]);
    display.stop();
    const written = String(stream.read());
    expect(written).toContain("a note\n");
    expect(written.lastIndexOf("100%")).toBeGreaterThan(written.indexOf("a note"));
    expect(written).toContain("\u001B[?25l");
    expect(written.lastIndexOf("\u001B[?25h")).toBeGreaterThan(written.indexOf("\u001B[?25l"));
  });

  test("nothing is written where nothing was under way", () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true });
    showProgress(stream).stop();
    expect(stream.read()).toBeNull();
  });
});

describe("a bar", () => {
  const filled = (text: string) => text.split("█").length - 1;

  test("is empty while the total is not known, and shows the rate", () => {
    const text = barText(dump, 7, 4);
    expect(filled(text)).toBe(0);
    expect(text).toMatch(/^dump {5}░+ +10\.0 MiB {2}2\.5 MiB\/s$/);
  });

  test("is half full at the half", () => {
    const text = barText({ ...dump, totalBytes: 20 * MiB }, 4, 0);
    expect(filled(text)).toBe(15);
    expect(text).toContain(" 50%");
  });

  test("is full only when the stage says that it is done", () => {
    expect(barText({ ...dump, totalBytes: 10 * MiB }, 4, 0)).toContain(" 99%");
    const done = barText({ ...dump, state: "completed", bytes: 0, totalBytes: 0 }, 4, 0);
    expect(filled(done)).toBe(30);
    expect(done).toMatch(/100% .* done$/);
    expect(barText({ ...dump, state: "failed" }, 4, 3)).toMatch(/FAILED$/);
  });
});
