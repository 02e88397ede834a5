import { listTokens } from "@trivault/access";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatTime, print, printJson, printText, table } from "../../output.ts";
import type { Running } from "../../perform.ts";

export async function tokenList({ json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const tokens = await listTokens(config.api.accessFile, new Date());
  if (json) printJson({ tokens });
  else if (tokens.length === 0) print("There are no named tokens.");
  else {
    const rows = tokens.map(({ name, role, expiresAt, expired, lastUsedAt, createdBy }) => [
      name,
      role,
      expired ? "EXPIRED" : expiresAt === null ? "never" : formatTime(new Date(expiresAt)),
      lastUsedAt === null ? "never" : formatTime(new Date(lastUsedAt)),
      createdBy,
    ]);
    printText(table(["TOKEN", "ROLE", "EXPIRES", "LAST USED", "MADE BY"], rows));
  }
  return EXIT.ok;
}
