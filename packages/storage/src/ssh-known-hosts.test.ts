import { describe, expect, test } from "@jest/globals";
import { knownHosts } from "./ssh-known-hosts.ts";

const KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIMEfJofaTVy3+J7r32LQbBlmxMeNO2lUQWG0kFd1/cb4";
const line = (patterns: string) => `${patterns} ssh-ed25519 ${KEY} comment\n`;

describe("knownHosts", () => {
  test.each([
    ["backup.example.org", "backup.example.org", 22, true],
    ["Backup.Example.ORG", "backup.example.org", 22, true],
    ["backup.example.org", "BACKUP.example.org", 22, true],
    ["other,backup.example.org,10.0.0.1", "10.0.0.1", 22, true],
    ["*.example.org", "backup.example.org", 22, true],
    ["*.example.org,!backup.example.org", "backup.example.org", 22, false],
    ["backup?.example.org", "backup1.example.org", 22, true],
    ["backup.example.org", "backupXexample.org", 22, false],
    ["[backup.example.org]:2222", "backup.example.org", 2222, true],
    ["[backup.example.org]:2222", "backup.example.org", 22, false],
    ["[backup.example.org]:2222", "backup.example.org", 2223, false],
    // OpenSSH looks for the plain name where no line names the port.
    ["backup.example.org", "backup.example.org", 2222, true],
    ["#backup.example.org", "backup.example.org", 22, false],
    ["@cert-authority backup.example.org", "backup.example.org", 22, false],
  ])("%s knows %s at %i: %p", (patterns, host, port, known) => {
    expect(knownHosts(line(patterns), host, port)).toHaveLength(known ? 1 : 0);
  });

  test("marks revoked keys, and keeps the others", () => {
    const found = knownHosts(`${line("h")}\n@revoked ${line("h")}`, "h", 22);
    expect(found.map((each) => [each.type, each.revoked])).toEqual([
      ["ssh-ed25519", false],
      ["ssh-ed25519", true],
    ]);
  });

  test("a broken line is passed over", () => {
    expect(knownHosts(`h\nh ssh-ed25519\n|1|x\n${line("h")}`, "h", 22)).toHaveLength(1);
  });
});
