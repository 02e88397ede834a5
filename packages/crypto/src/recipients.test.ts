import { beforeAll, expect, test } from "@jest/globals";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { generateKeys } from "./identity-file.ts";
import { checkRecipients } from "./recipients.ts";

let classic: string;
let secret: string;
let hybrid: string;
beforeAll(async () => {
  ({ recipient: classic, identity: secret } = await generateKeys());
  hybrid = await identityToRecipient(await generateHybridIdentity());
});

const failure = (recipients: string[]): Error => {
  try {
    checkRecipients(recipients);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was refused");
};

test("one or many of one kind pass", async () => {
  const { recipient } = await generateKeys();
  expect(() => checkRecipients([classic])).not.toThrow();
  expect(() => checkRecipients([classic, recipient])).not.toThrow();
  expect(() => checkRecipients([hybrid, hybrid])).not.toThrow();
});

test("a malformed one is named", () => {
  const flipped = classic.replace(/.$/, (last) => (last === "q" ? "p" : "q"));
  for (const bad of [
    flipped,
    classic.slice(0, -1),
    "age1",
    "",
    "ssh-ed25519 AAAA",
    `${classic} `,
    hybrid.slice(0, 100),
  ]) {
    const error = failure([classic, bad]);
    expect(error).toMatchObject({ code: "CONFIG_INVALID", permanent: true });
    expect(error.message).toContain(bad.slice(0, 50));
  }
});

test("none at all, and kinds that do not mix", () => {
  expect(failure([])).toMatchObject({ code: "CONFIG_INVALID" });
  expect(failure([classic, hybrid]).message).toMatch(/mixes post-quantum/);
});

test("a secret key in its place is refused without being shown", () => {
  for (const key of [secret, secret.toLowerCase()]) {
    const error = failure([key]);
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    expect(error.message.toLowerCase()).not.toContain(secret.slice(20, 40).toLowerCase());
  }
});
