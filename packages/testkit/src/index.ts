export * from "./ceph.ts";
export * from "./ports.ts";
export * from "./programs.ts";
export * from "./redis.ts";
export * from "./sshd.ts";
export * from "./tcp-proxy.ts";
export * from "./temp.ts";
export * from "./postgres.ts";
