// Two projects: `unit` needs no server, `real` starts the real ones (PostgreSQL, redis-server, sshd, Ceph's S3 gateway).
// Node 24 strips the types itself, so nothing is transformed.
const base = {
  testEnvironment: "node",
  transform: {},
  extensionsToTreatAsEsm: [".ts"],
  testPathIgnorePatterns: ["/node_modules/", "/test/fixtures/"],
};
export default {
  projects: [
    {
      ...base,
      displayName: "unit",
      testMatch: ["<rootDir>/{packages,apps,test}/**/*.test.ts"],
      testPathIgnorePatterns: [...base.testPathIgnorePatterns, "\\.real\\.test\\.ts$"],
    },
    { ...base, displayName: "real", testMatch: ["<rootDir>/{packages,apps,test}/**/*.real.test.ts"] },
  ],
};
