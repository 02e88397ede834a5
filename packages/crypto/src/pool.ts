import { TrivaultError } from "@trivault/core";

/** A few pieces of memory that are used again and again: allocating 32 MiB for each segment costs much garbage collection. */
export interface Pool {
  /** Waits until a slot is free. CANCELLED when `signal` aborts or the pool closes first. */
  take(signal?: AbortSignal): Promise<Slot>;
  close(): void;
}

export interface Slot {
  /** This slot's memory, at least `size` bytes; whoever moves it elsewhere gives it back with `keep`. */
  memory(size: number): ArrayBuffer;
  keep(memory: ArrayBuffer): void;
  /** Gives the slot to the next who waits; calling it again does nothing. */
  readonly release: () => void;
}

export function createPool(slots: number): Pool {
  /** The memory of free slots; the last one used is taken first, so that the others are touched only when needed. */
  const free = Array.from({ length: slots }, () => new ArrayBuffer(0));
  const waiting: { readonly resolve: (slot: Slot) => void; readonly reject: (error: unknown) => void }[] = [];
  let closed = false;

  const slotOf = (initial: ArrayBuffer): Slot => {
    let memory = initial;
    let released = false;
    return {
      memory: (size) => (memory.byteLength >= size ? memory : new ArrayBuffer(size)),
      keep: (returned) => {
        memory = returned;
      },
      release: () => {
        if (released) return;
        released = true;
        const next = waiting.shift();
        if (next) next.resolve(slotOf(memory));
        else free.push(memory);
      },
    };
  };

  return {
    async take(signal) {
      if (closed || signal?.aborted) throw cancelled(signal);
      const memory = free.pop();
      if (memory) return slotOf(memory);
      const { promise, resolve, reject } = Promise.withResolvers<Slot>();
      const entry = { resolve, reject };
      waiting.push(entry);
      const abort = () => {
        const place = waiting.indexOf(entry);
        if (place >= 0) waiting.splice(place, 1);
        reject(cancelled(signal));
      };
      signal?.addEventListener("abort", abort, { once: true });
      // An abort after the slot was given is too late for this promise: rejecting a settled one does nothing.
      return promise.finally(() => signal?.removeEventListener("abort", abort));
    },
    close() {
      closed = true;
      for (const { reject } of waiting.splice(0)) reject(cancelled());
    },
  };
}

/** The error for work that was given up on request. */
export function cancelled(signal?: AbortSignal): TrivaultError {
  return new TrivaultError("CANCELLED", "The work on a segment was given up, as asked.", { cause: signal?.reason });
}
