import { keepCompiled } from "@trivault/core/compile-cache";

keepCompiled();
await import("./run-worker.ts");
