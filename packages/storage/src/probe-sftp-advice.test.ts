import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { adviceOnRights, type Doing, type Seen } from "./probe-sftp-advice.ts";

const mine = { mode: 0o40700, uid: 1001 };
const home = { path: "/home/backup", uid: 1001 };

test.each<[string, Doing, Partial<Seen>, RegExp]>([
  [
    "the top of a chroot",
    "make",
    { folder: "/", home: { path: "/", uid: 0 } },
    /ChrootDirectory.*folder made below it/,
  ],
  ["another's folder", "make", { folder: "/srv", rights: { mode: 0o40755, uid: 0 } }, /may not make a folder in \/srv/],
  [
    "another's folder",
    "write",
    { folder: "/srv", rights: { mode: 0o40755, uid: 0 } },
    /set tiers\.nas\.directory in \/etc\/t\.yaml to a folder .* such as `trivault` \(in its home/,
  ],
  ["its own folder", "write", { folder: "/home/backup/x", rights: mine }, /this account may only read/],
  ["its own folder", "make", { folder: "..", rights: mine }, /this account may only read/],
  ["its own folder", "rename", { rights: mine }, /-P rename/],
  ["its own folder", "delete", { rights: mine }, /-P remove/],
])("9.C23 permission denied in %s (%s)", (_, doing, seen, advice) => {
  expect(
    adviceOnRights({
      user: "backup",
      setting: "tiers.nas.directory in /etc/t.yaml",
      doing,
      folder: ".",
      rights: null,
      home,
      ...seen,
    }),
  ).toMatch(advice);
});

test("9.C23 whatever was seen, nothing that is there is to be changed by a command, and paths are quoted", () => {
  const id = fc.constantFrom(0, 1001, 33);
  const path = fc.constantFrom("/", "..", ".", "/srv/it's halt", "a;reboot", "$(reboot)", "/srv\n/x", "../../etc");
  const seen: fc.Arbitrary<Seen> = fc.record({
    user: fc.constant("backup"),
    setting: fc.constant("BACKUP_REMOTE_DIR"),
    doing: fc.constantFrom("make", "write", "read", "rename", "delete"),
    folder: path,
    rights: fc.option(fc.record({ mode: fc.nat(0o777), uid: id })),
    home: fc.option(fc.record({ path, uid: id })),
  });
  fc.assert(
    fc.property(seen, (each) => {
      const advice = adviceOnRights(each);
      expect(advice).not.toMatch(/sudo|chown|chmod|mkdir|\brm\b|\p{Cc}/u);
      expect(advice.replaceAll(/\$?'(?:[^']|'\\'')*'/g, "")).not.toMatch(/reboot|halt/);
    }),
  );
});
