import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { canonicalBytes } from "@trivault/core";
import { type BulkJobOptions, type Job, type JobsOptions, Queue, type QueueOptions } from "bullmq";
import type { JobKey } from "./job-key.ts";

/**
 * Redis is shared with whoever can reach it, so a job proves that a process of this site made it: `proof` in its data is an
 * HMAC-SHA-256, by the site's key, of its queue, name, id and all else in its data. A job that was written by hand, changed,
 * or copied under another id has none that fits, and no worker carries it out.
 */
export interface JobIdentity {
  readonly queue: string;
  readonly name: string;
  readonly id: string;
}

export function sealed(key: Buffer, job: JobIdentity, data: object): object {
  const { proof: _before, ...content } = data as { proof?: unknown };
  return { ...content, proof: mac(key, job, content).toString("base64url") };
}

export function isSealed(key: Buffer, job: JobIdentity, data: unknown): boolean {
  if (typeof data !== "object" || data === null || !("proof" in data) || typeof data.proof !== "string") return false;
  const { proof, ...content } = data;
  const given = Buffer.from(proof, "base64url");
  try {
    const expected = mac(key, job, content);
    return given.length === expected.length && timingSafeEqual(given, expected);
  } catch {
    return false; // nested so deeply that it cannot be written as JSON
  }
}

export function identityOf({ queueName, name, id }: Job): JobIdentity {
  return { queue: queueName, name, id: id ?? "" };
}

function mac(key: Buffer, { queue, name, id }: JobIdentity, content: object): Buffer {
  const head = JSON.stringify(["trivault job", queue, name, id]);
  return createHmac("sha256", key).update(head).update("\n").update(canonicalBytes(content)).digest();
}

/** A queue whose jobs are sealed as they are added: there is no other way into it. */
export class SealedQueue extends Queue {
  readonly #key: JobKey;

  constructor(name: string, key: JobKey, options: QueueOptions) {
    super(name, options);
    this.#key = key;
  }

  override async add(name: string, data: object, { jobId = randomUUID(), ...options }: JobsOptions = {}): Promise<Job> {
    return super.add(name, sealed(await this.#key(), { queue: this.name, name, id: jobId }, data), {
      ...options,
      jobId,
    });
  }

  override async addBulk(jobs: { name: string; data: object; opts?: BulkJobOptions }[]): Promise<Job[]> {
    const key = await this.#key();
    return super.addBulk(
      jobs.map(({ name, data, opts: { jobId = randomUUID(), ...opts } = {} }) => ({
        name,
        data: sealed(key, { queue: this.name, name, id: jobId }, data),
        opts: { ...opts, jobId },
      })),
    );
  }

  /** Whether a process of this site made it; what else says of itself is not to be believed. */
  async isOurs(job: Job): Promise<boolean> {
    return isSealed(await this.#key(), identityOf(job), job.data);
  }
}
