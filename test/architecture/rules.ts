import path from "node:path";
import type { PackageManifest, SourceFile, SourceTree } from "./source-tree.ts";

/** A rule returns what breaks it, a line each. */
export type Rule = (tree: SourceTree) => string[];

const ADAPTERS = ["storage", "crypto", "postgres"];

/** Which of our packages each of them may import (docs/architecture.md). Apps may import all but the testkit. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  storage: ["core"],
  crypto: ["core"],
  postgres: ["core"],
  queue: ["core"],
  audit: ["core"],
  retention: ["core"],
  schedule: ["core"],
  backup: ["core", ...ADAPTERS],
  site: ["core", ...ADAPTERS, "audit", "backup", "schedule"],
  maintenance: ["core", ...ADAPTERS, "audit", "backup", "retention", "schedule", "site"],
  cluster: ["core", ...ADAPTERS, "audit", "backup", "maintenance", "queue", "schedule", "site"],
  access: ["core"],
  notify: ["core"],
  monitor: ["core", "storage", "audit", "backup", "maintenance", "queue", "retention", "site"],
  metrics: ["core", "audit", "maintenance", "monitor", "site"],
  alerts: ["core", "audit", "backup", "maintenance", "monitor", "notify", "site"],
  reports: ["core", "audit", "maintenance", "monitor", "notify", "schedule", "site"],
  dashboard: ["core", "monitor"],
  client: [],
  testkit: ["core", "storage"],
};
const APP = Object.keys(ARROWS).filter((name) => name !== "testkit");

/** Where folders hold a subject each: which of its neighbours each of them may import; `*` is any that is not named. */
const FOLDERS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "apps/cli/src/actions": { shared: [], "*": ["shared"] },
  "packages/core/src/config": {
    model: [],
    text: ["model"],
    environment: ["model", "text"],
    file: ["model", "text", "environment"],
    resolve: ["model", "text", "environment", "file"],
  },
  "packages/maintenance/src": {
    inventory: [],
    discovery: ["inventory"],
    plan: ["inventory", "discovery"],
    repair: ["inventory", "plan"],
    health: ["inventory", "discovery", "plan"],
    upkeep: ["inventory", "discovery", "plan", "repair", "health"],
  },
};

/** Libraries that shape whatever imports them, and the only places for them. */
const CONFINED: readonly { library: RegExp; to: RegExp }[] = [
  { library: /^bullmq$/, to: /^packages\/queue\// },
  { library: /^(?:fastify(?:-.*)?|@fastify\/.*|@bull-board\/.*)$/, to: /^apps\/api\// },
  { library: /^commander$/, to: /^apps\/cli\// },
];

const arrows: Rule = ({ files }) =>
  forEachImport(files, (file, specifier) => {
    const target = ours(specifier);
    if (target === null || target === ownName(file)) return null;
    if (file.isTest && target === "testkit") return null;
    const allowed = file.folder.startsWith("apps/") ? APP : (ARROWS[ownName(file)] ?? []);
    return allowed.includes(target) ? null : `may not import @trivault/${target}`;
  });

/** What stands beside the folders is open to them all, and knows none of them. */
const folders: Rule = ({ files, manifests }) =>
  forEachImport(files, (file, specifier) => {
    const root = Object.keys(FOLDERS).find((each) => inside(each, file.path));
    if (root === undefined || file.isTest || !specifier.startsWith(".")) return null;
    // How others enter a package gathers from all its folders.
    if (entriesOf(manifests.get(file.folder)).includes(path.relative(file.folder, file.path))) return null;
    const known = FOLDERS[root] ?? {};
    const from = folderIn(root, file.path);
    const to = folderIn(root, resolve(file, specifier));
    if (to === null || to === from) return null;
    const allowed = from === null ? [] : (known[from] ?? known["*"] ?? []);
    return allowed.includes(to) ? null : `may not import the folder ${to}: ${specifier}`;
  });

/** Each command has one action, loaded as the command runs: what others do costs its start nothing. */
const lazyActions: Rule = ({ files }) =>
  files.flatMap((file) =>
    inside("apps/cli/src/actions", file.path) || file.isTest
      ? []
      : file.eagerImports
          .filter((specifier) => specifier.startsWith(".") && inside("apps/cli/src/actions", resolve(file, specifier)))
          .map((specifier) => `${file.path}: imports an action before its command runs: ${specifier}`),
  );

const entryPoints: Rule = ({ files, manifests }) =>
  forEachImport(files, (file, specifier) => {
    if (specifier.startsWith(".")) {
      return inside(file.folder, resolve(file, specifier)) ? null : `reaches out of its package: ${specifier}`;
    }
    const target = ours(specifier);
    const exported = manifests.get(`packages/${target}`)?.exports;
    if (target === null || exported === undefined) return null;
    const entry = `.${specifier.slice(`@trivault/${target}`.length)}`;
    const open = typeof exported === "string" ? ["."] : Object.keys(exported);
    return open.includes(entry) ? null : `imports ${specifier}, which is no entry of that package`;
  });

const ownIndex: Rule = ({ files }) =>
  forEachImport(files, (file, specifier) => {
    const itself = specifier.startsWith(".")
      ? resolve(file, specifier) === `${file.folder}/src/index.ts`
      : ours(specifier) === ownName(file) && file.folder.startsWith("packages/");
    return itself ? `imports its own package's entry (${specifier})` : null;
  });

const confined: Rule = ({ files }) =>
  forEachImport(files, (file, specifier) => {
    const rule = file.isTest ? undefined : CONFINED.find(({ library }) => library.test(packageOf(specifier)));
    return rule && !rule.to.test(file.path) ? `may not import ${specifier}` : null;
  });

const declared: Rule = ({ files, manifests, rootDevDependencies }) =>
  forEachImport(files, (file, specifier) => {
    if (specifier.startsWith(".") || specifier.startsWith("node:")) return null;
    const { name, dependencies = {}, devDependencies = {} } = manifests.get(file.folder) ?? { name: "" };
    const known = Object.keys(dependencies);
    // Tests may lean on what the workspace's root installs for them.
    if (file.isTest) known.push(...Object.keys(devDependencies), ...rootDevDependencies, "@trivault/testkit");
    const wanted = packageOf(specifier);
    return wanted === name || known.includes(wanted)
      ? null
      : `imports ${wanted}, which its package.json does not declare`;
  });

const used: Rule = ({ files, manifests }) =>
  [...manifests].flatMap(([folder, { dependencies = {}, devDependencies = {} }]) => {
    const own = files.filter((file) => file.folder === folder);
    const imported = new Set(own.flatMap((file) => file.imports.map(packageOf)));
    const idle = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !imported.has(name));
    return idle.map((name) => `${folder}/package.json: declares ${name}, which nothing in it imports`);
  });

const exactVersions: Rule = ({ manifests }) =>
  [...manifests].flatMap(([folder, { dependencies = {}, devDependencies = {} }]) =>
    Object.entries({ ...dependencies, ...devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${folder}/package.json: ${name} has no exact version (${version})`),
  );

const fileSize: Rule = ({ files }) =>
  files
    .filter(({ isTest, path: name, lines }) => !isTest && !name.endsWith("/generated.ts") && lines > 300)
    .map((file) => `${file.path}: ${file.lines} lines, and 300 is the ceiling`);

/** A rejection that nobody handles ends the process, in the midst of other people's backups. */
const promises: Rule = ({ files }) =>
  files.flatMap((file) =>
    file.isTest
      ? []
      : file.keptPromises.map((name) => `${file.path}: \`${name}\` keeps a promise; wrap it in background() of core`),
  );

/** `ensureFolder` of core itself, and the local store, whose folders are its own matter. */
const MAKES_FOLDERS = ["packages/core/src/folders.ts", "packages/storage/src/local.ts"];

/** Node's own `mkdir` gives 0755, fills an empty mount point, and where it is recursive may never come back. */
const madeFolders: Rule = ({ files }) =>
  files.flatMap((file) =>
    file.isTest ||
    MAKES_FOLDERS.includes(file.path) ||
    file.folder === "packages/testkit" ||
    /\/testing\/|\/test\//.test(file.path)
      ? []
      : file.plainFolders.map((call) => `${file.path}: makes a folder by itself (${call}); use ensureFolder of core`),
  );

/** A process loads what suites share once, for the first of them (test/native): later suites would be without its hooks. */
const sharedHooks: Rule = ({ files }) =>
  files.flatMap((file) =>
    file.path.endsWith(".test.ts")
      ? []
      : file.hooks.map(
          (hook) => `${file.path}: registers ${hook} as it is loaded; export what it does, for each suite to call`,
        ),
  );

/** Between files, across packages too, and by types as well: what cannot be read alone cannot be changed alone. */
const cycles: Rule = ({ files }) => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: SourceFile, trail: readonly string[]) => {
    const start = trail.indexOf(file.path);
    if (start >= 0) found.push([...trail.slice(start), file.path].join(" → "));
    if (start >= 0 || done.has(file.path)) return;
    for (const specifier of file.imports) {
      const next = byPath.get(targetOf(file, specifier));
      if (next) visit(next, [...trail, file.path]);
    }
    done.add(file.path);
  };
  for (const file of files) visit(file, []);
  return found;
};

export const RULES = {
  arrows,
  folders,
  lazyActions,
  entryPoints,
  ownIndex,
  confined,
  declared,
  used,
  exactVersions,
  fileSize,
  cycles,
  promises,
  madeFolders,
  sharedHooks,
};

function forEachImport(files: readonly SourceFile[], check: (file: SourceFile, specifier: string) => string | null) {
  return files.flatMap((file) =>
    file.imports.flatMap((specifier) => {
      const problem = check(file, specifier);
      return problem === null ? [] : [`${file.path}: ${problem}`];
    }),
  );
}

/** The folder within `packages/core/src`: `packages/core/src/config/cron.ts` → `config`; null for what lies in no folder of it. */
const folderIn = (root: string, target: string) => /^(\w[^/]*)\//.exec(path.relative(root, target))?.[1] ?? null;
/** The files by which others enter a package: `src/index.ts`. */
function entriesOf({ exports = {} }: Pick<PackageManifest, "exports"> = {}): string[] {
  return (typeof exports === "string" ? [exports] : Object.values(exports)).map((entry) => path.normalize(entry));
}
const ownName = (file: SourceFile) => path.basename(file.folder);
const resolve = (file: SourceFile, specifier: string) => path.join(path.dirname(file.path), specifier);
const inside = (folder: string, target: string) => target.startsWith(`${folder}/`);

/** `@trivault/core` → `core`; null for what is not ours. */
function ours(specifier: string): string | null {
  return /^@trivault\/([^/]+)/.exec(specifier)?.[1] ?? null;
}

/** `@aws-sdk/client-s3/dist` → `@aws-sdk/client-s3`; `pg/lib` → `pg`. */
function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function targetOf(file: SourceFile, specifier: string): string {
  if (specifier.startsWith(".")) return resolve(file, specifier);
  const [, name, rest] = /^@trivault\/([^/]+)(?:\/(.+))?$/.exec(specifier) ?? [];
  return name === undefined ? "" : `packages/${name}/src/${rest ?? "index"}.ts`;
}
