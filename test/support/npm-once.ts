import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { shellWord } from "@trivault/core";
import { findProgram } from "@trivault/testkit";

const PACKAGE = path.resolve(import.meta.dirname, "../../package.json");

/**
 * A shell script in place of `npm`. The first time, npm itself runs a script of package.json; later its line is carried out as
 * npm does it, without npm, whose start takes a second of computing. All else is npm's. `folder` remembers what has run.
 */
export async function npmOnce(folder: string): Promise<string> {
  const { scripts } = JSON.parse(await readFile(PACKAGE, "utf8")) as { scripts: Record<string, string> };
  await mkdir(folder);
  for (const [name, line] of Object.entries(scripts)) await writeFile(path.join(folder, name), `${line} "$@"\n`);
  return `scriptOf() { while [ "$1" = run ] || [ "$1" = --silent ]; do shift; done; echo "$1"; }
name=$(scriptOf "$@")
line=${shellWord(folder)}/$name
if [ ! -f "$line" ] || mkdir "$line.ran" 2>/dev/null; then exec ${shellWord(findProgram("npm", "npm"))} "$@"; fi
while [ "$1" != "$name" ]; do shift; done
shift
if [ "$1" = -- ]; then shift; fi
PATH=$PWD/node_modules/.bin:$PATH
. "$line"`;
}
