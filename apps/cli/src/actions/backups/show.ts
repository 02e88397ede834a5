import { chooseBackup, inspectCopies, type InspectedCopy, listBackups, restoreCommand } from "@trivault/backup";
import { formatBytes, type Manifest, totalSize } from "@trivault/core";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { facts, formatSeconds, formatTime, printJson, printText, say, table } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withTiers } from "../shared/with-tiers.ts";

export interface ShowOptions {
  readonly database?: string;
  readonly json?: boolean;
}

export async function show(id: string, options: ShowOptions, { signal, json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  return withTiers(config, async (tiers) => {
    const list = await listBackups(tiers, options.database, signal);
    signal.throwIfAborted();
    for (const { tier, reason } of list.unreachable) say(`The tier ${tier} could not be asked: ${reason}`);
    const named = options.database ?? list.backups.find((backup) => backup.id === id)?.database;
    const backup = chooseBackup(list, named ?? config.databases[0]?.name ?? "", id);
    const copies = await inspectCopies(config, tiers, backup, signal);
    const best = copies.find(({ signature }) => signature === "trusted") ?? copies.find(({ manifest }) => manifest);
    const manifest = best?.manifest ?? null;
    const restore = restoreCommand(backup.database, backup.id);
    const { database } = backup;
    if (json) printJson({ id, database, manifest, copies: copies.map(withoutManifest), restore });
    else printText([...describe(manifest), copyTable(copies), "", "To restore it:", `  ${restore}`].join("\n"));
    return copies.some(({ signature }) => signature === "trusted") ? EXIT.ok : EXIT.failed;
  });
}

function describe(manifest: Manifest | null): string[] {
  if (manifest === null) return ["Its manifest cannot be read on any tier.", ""];
  const tools = Object.entries(manifest.tools).map(([name, version]) => `${name} ${version}`);
  const plain = manifest.segments.reduce((sum, segment) => sum + segment.plainSize, 0);
  return [
    facts([
      ["Backup", manifest.id],
      ["Database", manifest.database],
      ...times(manifest),
      ["Server", `PostgreSQL ${manifest.server.version}`],
      ["Made with", tools.join(", ")],
      ["Size", `${formatBytes(totalSize(manifest))} in ${manifest.segments.length} segments`],
      ["Compressed", `${formatBytes(plain)} before encryption`],
      ["Encryption", manifest.encryption],
      ...manifest.recipients.map((recipient) => ["Recipient", recipient] as const),
    ]),
    "",
  ];
}

/** Between an adopted dump and its sealing lies no time that it took. */
function times({ startedAt, completedAt, tools }: Manifest): (readonly [string, string])[] {
  const [started, completed] = [new Date(startedAt), new Date(completedAt)];
  const after = `, after ${formatSeconds((completed.getTime() - started.getTime()) / 1000)}`;
  const adopted = tools["adopted-from"] !== undefined;
  return [
    ["Started", formatTime(started)],
    adopted ? ["Adopted", formatTime(completed)] : ["Completed", formatTime(completed) + after],
  ];
}

function copyTable(copies: readonly InspectedCopy[]): string {
  return table(
    ["TIER", "COPY", ">SIZE", "SIGNATURE", "PROBLEM"],
    copies.map(({ tier, state, bytes, signature, problem }) => [
      tier,
      state,
      bytes === null ? "" : formatBytes(bytes),
      signature ?? "",
      problem ?? "",
    ]),
  );
}

function withoutManifest({ tier, state, bytes, signature, signedBy, problem }: InspectedCopy) {
  return { tier, state, bytes, signature, signedBy, problem };
}
