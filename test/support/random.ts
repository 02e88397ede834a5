/** Numbers from 0 to 1 (mulberry32: small, and the same on every machine): the same seed, the same numbers. */
export type Random = () => number;

export function randomNumbers(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) % 0x1_0000_0000;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** One of them, or undefined where there is none. */
export function oneOf<T>(random: Random, items: readonly T[]): T | undefined {
  return items[Math.floor(random() * items.length)];
}

/** One of them, as often as its weight says; there must be one. */
export function weighted<T extends { readonly weight: number }>(random: Random, items: readonly T[]): T {
  let left = random() * items.reduce((sum, { weight }) => sum + weight, 0);
  for (const item of items) if ((left -= item.weight) < 0) return item;
  throw new Error("there is nothing to choose from");
}
