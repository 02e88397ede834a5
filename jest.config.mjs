// Two projects: `unit` needs no server, `real` starts the real ones (PostgreSQL, redis-server, sshd, Ceph's S3 gateway) and
// fails where their programs are missing. Node 24 strips the types itself, so nothing is transformed.
// To choose suites, name them first: `npm test -- packages/queue --selectProjects unit`.
import { keepCompiled } from "@trivault/core/compile-cache";

// For the processes of the test run, and threads and programs of tests: each loads the whole program.
keepCompiled();

const base = {
  testEnvironment: "<rootDir>/test/native/environment.ts",
  runtime: "<rootDir>/test/native/runtime.ts",
  transform: {},
  extensionsToTreatAsEsm: [".ts"],
  roots: ["<rootDir>/packages", "<rootDir>/apps", "<rootDir>/test"],
  setupFilesAfterEnv: ["<rootDir>/test/setup/equal-bytes.ts"],
  testPathIgnorePatterns: ["/node_modules/", "<rootDir>/test/fixtures/"],
};

export default {
  // Suites wait for servers as much as they compute: on a machine of two cores jest would run one at a time.
  maxWorkers: 2,
  reporters: ["default", "<rootDir>/test/setup/suite-costs.mjs"],
  testSequencer: "<rootDir>/test/setup/longest-first.mjs",
  // Generous: what hangs is reported late, but a busy machine makes no test fail.
  testTimeout: 240_000,
  projects: [
    {
      ...base,
      displayName: "unit",
      testMatch: ["**/*.test.ts"],
      testPathIgnorePatterns: [...base.testPathIgnorePatterns, "\\.real\\.test\\.ts$"],
    },
    {
      ...base,
      displayName: "real",
      testMatch: ["**/*.real.test.ts"],
      globalSetup: "<rootDir>/test/setup/real.ts",
      globalTeardown: "<rootDir>/test/setup/real-teardown.ts",
    },
  ],
};
