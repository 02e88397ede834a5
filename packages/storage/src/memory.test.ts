import { parseKey } from "@trivault/core";
import { describeStore } from "@trivault/testkit/store-suite";
import { memoryStore } from "./memory.ts";
import { bytesSource } from "./source.ts";

describeStore("memory store", async () => {
  const store = memoryStore();
  return {
    open: () => store,
    async place(path, bytes) {
      const key = parseKey(path);
      if (key) await store.put(key, bytesSource(bytes));
    },
    stop: () => store.close(),
  };
});
