import { type BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import { codeOf } from "@trivault/core";

/** The content of a file as it is now; read again only when the file is another one or was changed. */
export function createFileView<T>(file: string, read: (file: string) => Promise<T>): () => Promise<T> {
  let known: { readonly version: string; readonly content: Promise<T> } | null = null;
  let looking: Promise<T> | null = null;

  async function look(): Promise<T> {
    const version = await versionOf(file);
    if (known?.version !== version) {
      const content = read(file);
      known = { version, content };
      // It may be the disk and not the file: the next one looks again.
      content.catch(() => (known = null));
    }
    return known.content;
  }

  return () => (looking ??= look().finally(() => (looking = null)));
}

async function versionOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs }: BigIntStats = await stat(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(" ");
  } catch (error) {
    return codeOf(error) ?? "unknown";
  }
}
