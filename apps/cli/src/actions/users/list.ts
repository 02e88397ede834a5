import { listUsers } from "@trivault/access";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatTime, print, printJson, printText, table } from "../../output.ts";
import type { Running } from "../../perform.ts";

export async function userList({ json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const users = await listUsers(config.api.accessFile);
  if (json) printJson({ users });
  else if (users.length === 0) print("There are no users.");
  else {
    const rows = users.map(({ name, role, lastLoginAt, recoveryCodesLeft, createdBy }) => [
      name,
      role,
      lastLoginAt === null ? "never" : formatTime(new Date(lastLoginAt)),
      String(recoveryCodesLeft),
      createdBy,
    ]);
    printText(table(["USER", "ROLE", "LAST LOGIN", ">RECOVERY CODES", "ADDED BY"], rows));
  }
  return EXIT.ok;
}
