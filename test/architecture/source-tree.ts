import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { keptPromises } from "./kept-promises.ts";

/** What the rules look at: every TypeScript file of the workspaces with what it imports, and every package.json. */
export interface SourceTree {
  readonly files: readonly SourceFile[];
  /** By folder: `packages/core`. */
  readonly manifests: ReadonlyMap<string, PackageManifest>;
  /** The dependencies of the workspace's root: test files may use them. */
  readonly rootDevDependencies: readonly string[];
}

export interface SourceFile {
  /** From the root of the repository: `packages/core/src/keys.ts`. */
  readonly path: string;
  readonly folder: string;
  /** Runs under jest only: a test, or what tests share. */
  readonly isTest: boolean;
  readonly lines: number;
  /** As written, of values and of types. */
  readonly imports: readonly string[];
  /** The imports of values that are loaded with the file itself. */
  readonly eagerImports: readonly string[];
  /** Variables that keep a promise whose failure nobody would hear. */
  readonly keptPromises: readonly string[];
  /** Calls of Node's own `mkdir`. */
  readonly plainFolders: readonly string[];
  /** Hooks of jest that are registered as the file is loaded. */
  readonly hooks: readonly string[];
}

export interface PackageManifest {
  readonly name: string;
  readonly exports?: string | Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export function readSourceTree(root: string): SourceTree {
  const read = (file: string) => readFileSync(path.join(root, file), "utf8");
  const found = globSync("{packages,apps}/*/{package.json,**/*.ts}", {
    cwd: root,
    exclude: (name) => name === "node_modules",
  });
  return sourceTree(Object.fromEntries([...found, "package.json"].map((file) => [file, read(file)])));
}

/** From file names and texts, so that the rules can be tried on trees that were never written. */
export function sourceTree(texts: Readonly<Record<string, string>>): SourceTree {
  const manifests = new Map<string, PackageManifest>();
  const files: SourceFile[] = [];
  for (const [file, text] of Object.entries(texts)) {
    if (path.basename(file) === "package.json") manifests.set(path.dirname(file), JSON.parse(text) as PackageManifest);
    else files.push(sourceFile(file, text));
  }
  const rootDevDependencies = Object.keys(manifests.get(".")?.devDependencies ?? {});
  manifests.delete(".");
  return { files, manifests, rootDevDependencies };
}

function sourceFile(file: string, text: string): SourceFile {
  const imports = [...importsOf(text)];
  return {
    path: file,
    folder: file.split("/").slice(0, 2).join("/"),
    isTest: file.endsWith(".test.ts") || file.split("/")[2] === "test" || imports.includes("@jest/globals"),
    lines: text.trimEnd().split("\n").length,
    imports,
    eagerImports: [...text.matchAll(STATIC)]
      .filter(([all]) => !/^\w+\s+type\b/.test(all))
      .map((match) => match[1] ?? ""),
    keptPromises: keptPromises(text),
    plainFolders: [...text.matchAll(/(?<![.\w])mkdir(?:Sync)?\([^;]*/g)].map(([call]) => call.split("\n")[0] ?? ""),
    hooks: [...text.matchAll(/^(?:before|after)(?:Each|All)\b/gm)].map(([hook]) => hook),
  };
}

/** `import … from "x"`, `export … from "x"`, `import "x"`: at the start of a line, where the formatter puts them. */
const STATIC =
  /^(?:import|export)\s+(?:(?:type\s+)?(?:[\w$]+\s*,?\s*)?(?:\*(?:\s+as\s+[\w$]+)?|\{[^}]*\})?\s*from\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;

export function importsOf(text: string): Set<string> {
  return new Set([...text.matchAll(STATIC), ...text.matchAll(DYNAMIC)].map((match) => match[1] ?? ""));
}
