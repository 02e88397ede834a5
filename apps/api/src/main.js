import { keepCompiled } from "@trivault/core/compile-cache";

keepCompiled();
await import("./run-api.ts");
