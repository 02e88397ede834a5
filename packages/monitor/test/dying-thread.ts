import { parentPort } from "node:worker_threads";
import type { Asked } from "../src/observer-thread.ts";

/** A thread that answers by name, except for what it dies of. */
parentPort?.on("message", ({ id, question, argument }: Asked) => {
  if (question === "run") throw new Error("out of memory");
  if (question === "close") parentPort?.close();
  else parentPort?.postMessage({ id, answer: { question, argument } }, []);
});
