import { shellWord } from "@trivault/core";

/** The target's password is asked for: on a command line every user of the machine could read it. */
export function restoreCommand(database: string, id: string): string {
  return `npm run backup:restore -- --database ${shellWord(database)} --backup ${id} --from any --target -`;
}
