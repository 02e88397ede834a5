import { setFlagsFromString } from "node:v8";

/**
 * Makes V8 collect the buffers of a transfer while they are young; for the start of a process that moves many bytes. V8
 * counts a buffer's bytes only against the whole heap, so that by default each 35 MB that pass through cost a full
 * collection of everything. With a small young generation they die in one that takes half a millisecond. Measured on
 * SFTP puts (2 cores, Node 24.21): 137 → 235 MiB/s, 4.0 → 2.5 s of CPU per GiB, 215 → 149 MiB of memory.
 */
export function collectShortLivedBuffers(): void {
  setFlagsFromString("--scavenger-max-new-space-capacity-mb=1");
}
