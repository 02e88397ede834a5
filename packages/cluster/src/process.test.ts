import { execFile } from "node:child_process";
import { describe, expect, test } from "@jest/globals";
import { makeTempDir } from "@trivault/testkit";

const SERVICE = new URL("../test/mistaken-service.ts", import.meta.url).pathname;

describe("9.B9 a mistake that nobody catches", () => {
  test.each(["rejection", "exception", "one after the other"])(
    "(%s) ends a service in order, at once and with exit code 1",
    async (mistake) => {
      await using dir = await makeTempDir();
      const env = {
        PATH: process.env.PATH,
        DATABASE_URL: "postgresql://nobody@localhost/shop",
        BACKUP_DIR: dir.path,
        BACKUP_ENCRYPTION: "none",
        MISTAKE: mistake,
      };
      const ended = Promise.withResolvers<{ code: unknown; stdout: string; stderr: string }>();
      execFile(process.execPath, [SERVICE], { env, cwd: dir.path }, (error, stdout, stderr) =>
        ended.resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
      expect(await ended.promise).toMatchObject({
        code: 1,
        stdout: "closed with a grace of 0\n",
        stderr: expect.stringContaining("a mistake of this program"),
      });
    },
  );
});
