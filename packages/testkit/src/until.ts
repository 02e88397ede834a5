import { setTimeout as sleep } from "node:timers/promises";

/**
 * Looks again and again until there is something true to see, and returns it. After `seconds` (60) it throws, with what `describe`
 * says and the error of the last look; until then errors count as "not yet".
 */
export async function until<T>(
  look: () => T | Promise<T>,
  { seconds = 60, describe }: { readonly seconds?: number; readonly describe?: () => string } = {},
): Promise<T> {
  let last: unknown;
  const deadline = performance.now() + seconds * 1000;
  for (let pause = 5; performance.now() < deadline; pause = Math.min(pause * 1.3, 200)) {
    try {
      const seen = await look();
      if (seen) return seen;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(pause);
  }
  const text = describe?.() ?? look.toString();
  throw new Error(`it did not happen within ${seconds} s: ${text}`, { cause: last });
}
