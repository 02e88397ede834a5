import { enableCompileCache, flushCompileCache } from "node:module";
import path from "node:path";

/** By then a program has loaded what it needs to begin. */
const LOADED_AFTER_MS = 3000;
const FOLDER = path.join(import.meta.dirname, "../../../node_modules/.cache/trivault-compiled");

/**
 * Every program calls this first, and loads the rest by `await import` after it: Node keeps what it compiled for the next
 * start, which takes half the time then. In our own folder, not in the machine's /tmp, Node's default, where anybody could lay down
 * what we would run. Where it cannot be written, each start compiles anew. This file and those that call it are JavaScript: for the first
 * TypeScript that is not in there, Node loads its compiler, a sixth of the time of a short command.
 * https://nodejs.org/api/module.html#module-compile-cache
 */
export function keepCompiled() {
  enableCompileCache(FOLDER);
  process.env["NODE_COMPILE_CACHE"] = FOLDER; // what threads go by
  // Node itself writes it at the end of a program, which one that is killed does not have.
  setTimeout(flushCompileCache, LOADED_AFTER_MS).unref();
}
