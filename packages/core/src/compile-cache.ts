import { enableCompileCache, flushCompileCache } from "node:module";
import path from "node:path";

/** By then a program has loaded what it needs to begin. */
const LOADED_AFTER_MS = 3000;

/**
 * Every program calls this first, and loads the rest by `await import` after it: Node keeps what it compiled for the next
 * start, which takes half the time then. In our own folder, not in the machine's /tmp, Node's default, where anybody could lay down
 * what we would run. Where it cannot be written, each start compiles anew.
 * https://nodejs.org/api/module.html#module-compile-cache
 */
export function keepCompiled(): void {
  enableCompileCache(path.join(import.meta.dirname, "../../../node_modules/.cache/trivault-compiled"));
  // Node itself writes it at the end of a program, which one that is killed does not have.
  setTimeout(flushCompileCache, LOADED_AFTER_MS).unref();
}
