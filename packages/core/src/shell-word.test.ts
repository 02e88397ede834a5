import { execFileSync } from "node:child_process";
import { expect, test } from "@jest/globals";
import { shellWord } from "./shell-word.ts";

const TEXTS = [
  "shop",
  "/srv/it's here",
  "a;touch /tmp/x",
  "-rf",
  "",
  "$(id)",
  "a\nb",
  "\u001B[2Jx",
  "é\u202Ex",
  "a\\b'\tc",
  "=",
];

test("9.C23 the shell reads each text as one word, and the word is one line", () => {
  const words = TEXTS.map(shellWord);
  for (const word of words) expect(word).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  const command = String.raw`printf '%s\0' ${words.join(" ")}`;
  const read = execFileSync("bash", ["--norc", "-c", command], {
    encoding: "utf8",
    // Without SHLVL it takes itself for the shell of sshd, and reads start-up files.
    env: { LC_ALL: "C.UTF-8", SHLVL: "1", PATH: process.env["PATH"] },
  });
  expect(read.split("\0").slice(0, -1)).toEqual(TEXTS);
});
