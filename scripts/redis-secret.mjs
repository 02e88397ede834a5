// node scripts/redis-secret.mjs FOLDER
//
// Makes a password for Redis at the first start of docker-compose.yml: `password` for the API and the workers (0600), and
// `users.acl` for Redis, which holds its SHA-256 only. Files that are there stay as they are.
import { createHash, randomBytes } from "node:crypto";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

const folder = process.argv[2] ?? ".";
const file = (name) => path.join(folder, name);

function write(name, text, mode) {
  writeFileSync(file(`${name}.new`), text, { mode });
  renameSync(file(`${name}.new`), file(name));
}

if (!existsSync(file("users.acl")) || !existsSync(file("password"))) {
  const password = randomBytes(32).toString("hex");
  write("password", `${password}\n`, 0o600);
  // Nobody without the password may do anything at all; who has it may do what BullMQ does, and not change Redis itself.
  const hash = createHash("sha256").update(password).digest("hex");
  write("users.acl", `user default on #${hash} ~* &* +@all -@admin +client|list +client|setname\n`, 0o644);
}
