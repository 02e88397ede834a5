import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import path from "node:path";

/**
 * The programs that Trivault runs besides Node: why, who needs them, and the packages that bring them. `apt` and `brew`
 * are null where the system brings the program itself or cannot have it; `services` are the systemd units that Debian's
 * package would start and enable, though only its programs are wanted here; `beside` is a file that the program needs.
 */
const POSTGRES = { apt: "postgresql", brew: "postgresql@17", services: ["postgresql.service"] };
const CLIENT = { apt: "openssh-client", brew: null, services: [] };
const CEPH = { apt: null, brew: null, services: [], linuxOnly: true };
const PROMETHEUS = { apt: "prometheus", brew: "prometheus", services: ["prometheus.service"] };
const ALL = ["demo", "test", "bench", "simulate", "robustness"];
const MEASURED = ["test", "bench"];
/** SFTP at its full speed, which tests and figures are about. Without it everything works, so the demo does not ask for it. */
const COMPILER = { why: "builds ssh2's ciphers", commands: MEASURED, services: [] };
const WITH_S3 = ["test", "bench", "simulate", "robustness"];

const PROGRAMS = [
  { name: "initdb", why: "makes a throw-away PostgreSQL server", commands: ALL, ...POSTGRES },
  { name: "postgres", why: "is the database that is backed up", commands: ALL, ...POSTGRES },
  { name: "pg_dump", why: "reads the database", commands: ALL, ...POSTGRES },
  { name: "pg_restore", why: "writes it back", commands: ALL, ...POSTGRES },
  {
    name: "redis-server",
    why: "holds the queues",
    commands: ALL,
    apt: "redis-server",
    brew: "redis",
    services: ["redis-server.service"],
  },
  { name: "zstd", why: "compresses the dump", commands: ALL, apt: "zstd", brew: "zstd", services: [] },
  {
    name: "sshd",
    why: "is the remote server",
    commands: ALL,
    apt: "openssh-server",
    brew: null,
    services: ["ssh.service", "ssh.socket"],
  },
  { name: "ssh-keygen", why: "makes keys for it", commands: ALL, ...CLIENT },
  {
    name: "chromium",
    why: "shows the dashboard, as a person sees it",
    commands: ["test"],
    apt: "chromium",
    brew: "chromium",
    services: [],
  },
  {
    name: "age",
    why: "checks our encryption against the original",
    commands: MEASURED,
    apt: "age",
    brew: "age",
    services: [],
  },
  { name: "radosgw", why: "is a real S3 server (Ceph)", commands: WITH_S3, ...CEPH, apt: "radosgw" },
  { name: "ceph-mon", why: "is part of it", commands: WITH_S3, ...CEPH, apt: "ceph-mon" },
  { name: "ceph-osd", why: "is part of it", commands: WITH_S3, ...CEPH, apt: "ceph-osd" },
  { name: "ceph", why: "sets it up", commands: WITH_S3, ...CEPH, apt: "ceph-common" },
  { name: "promtool", why: "checks our metrics and alert rules", commands: ["test"], ...PROMETHEUS },
  { name: "prometheus", why: "scrapes them", commands: ["test"], ...PROMETHEUS },
  { name: "sftp", why: "is what SFTP is measured against", commands: ["bench"], ...CLIENT },
  {
    name: "proftpd",
    // Its SFTP is a module in a package of its own, which brings the server along.
    beside: "/usr/lib/proftpd/mod_sftp.so",
    why: "is a remote server of another make",
    commands: ["test"],
    apt: "proftpd-mod-crypto",
    brew: null,
    services: ["proftpd.service"],
    linuxOnly: true,
  },
  {
    name: "pgbouncer",
    why: "is what a backup must not go through in transaction mode",
    commands: ["test"],
    apt: "pgbouncer",
    brew: "pgbouncer",
    services: ["pgbouncer.service"],
  },
  {
    name: "localedef",
    beside: "/usr/share/i18n/locales/ja_JP",
    why: "makes a locale in which amounts of money read otherwise",
    commands: ["test"],
    apt: "locales",
    brew: null,
    services: [],
    linuxOnly: true,
  },
  {
    name: "rclone",
    why: "is a remote server that can do little, and what S3 is measured against",
    commands: MEASURED,
    apt: "rclone",
    brew: "rclone",
    services: [],
  },
  { name: "g++", apt: "g++", brew: "gcc", ...COMPILER },
  { name: "make", apt: "make", brew: "make", ...COMPILER },
  { name: "python3", apt: "python3", brew: "python3", ...COMPILER },
  {
    name: "tc",
    why: "makes a slow link",
    commands: ["bench"],
    apt: "iproute2",
    brew: null,
    services: [],
    linuxOnly: true,
  },
];

/** What `command` needs and this machine lacks. Looks for the programs themselves, however they were installed. */
export function missingPrograms(command, platform = process.platform) {
  const folders = searchPath();
  return PROGRAMS.filter(
    ({ name, beside, commands, linuxOnly }) =>
      commands.includes(command) &&
      !(linuxOnly && platform !== "linux") &&
      !(folders.some((dir) => runs(dir, name)) && (beside === undefined || existsSync(beside))),
  );
}

/** PATH, and where programs lie that Debian and Homebrew keep out of it: daemons, and each version of PostgreSQL. */
function searchPath() {
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter((dir) => path.isAbsolute(dir));
  const daemons = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
  return [...folders, ...daemons, ...versions("/usr/lib/postgresql"), ...kegs("/opt/homebrew"), ...kegs("/usr/local")];
}

const versions = (dir) => list(dir).map((version) => path.join(dir, version, "bin"));
const kegs = (prefix) =>
  list(path.join(prefix, "opt"))
    .filter((name) => name.startsWith("postgresql"))
    .map((name) => path.join(prefix, "opt", name, "bin"));

function list(dir) {
  try {
    return readdirSync(dir);
  } catch {
    return []; // no such folder: nothing to find there
  }
}

export function runs(dir, program) {
  try {
    accessSync(path.join(dir, program), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
