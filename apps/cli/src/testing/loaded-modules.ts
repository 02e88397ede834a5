import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

/** Writes on its third descriptor the URL of every module that is loaded after it. */
const COUNTER = `
import { registerHooks } from "node:module";
import { writeSync } from "node:fs";
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
process.on("exit", () => writeSync(2, "loaded:" + JSON.stringify(loaded)));
`;
const MAIN = path.join(import.meta.dirname, "../main.js");

/**
 * The modules that a command loads: those of libraries by the library's name, those of ours by their package, Node's own as
 * `node:…`; each as often as it has files that were loaded.
 */
export async function loadedBy(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<string[]> {
  const hook = `data:text/javascript,${encodeURIComponent(COUNTER)}`;
  const run = promisify(execFile)(process.execPath, ["--import", hook, MAIN, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: cwd, ...env },
    maxBuffer: 16 * 1024 ** 2,
  });
  // `health` of a site without backups ends with 1, which is no error here.
  const { stderr } = await run.catch((error: { readonly stderr: string }) => error);
  const [, list] = /loaded:(\[.*\])$/s.exec(stderr) ?? [];
  if (list === undefined) throw new Error(`no list of modules came, but: ${stderr}`);
  return (JSON.parse(list) as string[]).map(nameOf);
}

function nameOf(url: string): string {
  const [, library] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(url) ?? [];
  if (library !== undefined && !library.startsWith("@trivault/")) return library;
  const [, own] = /\/((?:packages|apps)\/[^/]+)\//.exec(url) ?? [];
  return own ?? url;
}
