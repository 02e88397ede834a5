import { describe, expect, test } from "@jest/globals";
import { parseList, writeList } from "./json-list.ts";

const itemsOf = (count: number) => Array.from({ length: count }, (_, i) => ({ id: i, text: `,]}[{"\n${i}` }));
const same = (items: readonly unknown[]) => items;

describe("a long list in JSON", () => {
  test.each([0, 1, 499, 500, 501, 1000, 2500])("of %i items is JSON, and what it was", async (count) => {
    const text = await writeList({ version: 1, tier: 'a"copies":[\n' }, "copies", itemsOf(count));
    expect(JSON.parse(text)).toEqual({ version: 1, tier: 'a"copies":[\n', copies: itemsOf(count) });
    const read = await parseList(text, "copies", same);
    expect(read).toEqual({ head: { version: 1, tier: 'a"copies":[\n' }, items: itemsOf(count) });
    expect(await parseList(JSON.stringify(JSON.parse(text)), "copies", same)).toEqual(read);
  });

  test("cut off anywhere it is refused", async () => {
    const text = await writeList({ version: 1 }, "copies", itemsOf(3));
    for (let end = 0; end < text.length - 1; end++) {
      await expect(parseList(text.slice(0, end), "copies", same)).rejects.toThrow();
    }
  });
});

test("9.B15 whatever its length, no more of it is parsed or made in one turn of the event loop than some hundred items", async () => {
  const items = itemsOf(10_000);
  const pieces: number[] = [];
  let turns = 0;
  const count = () => {
    turns++;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  try {
    const text = await writeList({ version: 1 }, "copies", items);
    expect(turns).toBeGreaterThanOrEqual(19);
    await parseList(text, "copies", (piece) => {
      pieces.push(turns);
      return piece;
    });
  } finally {
    clearImmediate(counting);
  }
  expect(new Set(pieces).size).toBe(20);
});
