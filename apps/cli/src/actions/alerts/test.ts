import { testChannels } from "@trivault/alerts";
import { TrivaultError } from "@trivault/core";
import { openChannels } from "@trivault/notify";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { printJson, printText, table } from "../../output.ts";
import type { Running } from "../../perform.ts";

export async function alertsTest(
  { channel }: { readonly channel?: string },
  { signal, json }: Running,
): Promise<number> {
  const { config } = readEnvironment("read");
  const { language } = config.monitoring.alerts;
  const channels = openChannels(config.monitoring, { publicUrl: config.api.publicUrl });
  if (channels.length === 0) {
    const message =
      "No channel is configured, so nobody would get any message. `npm run backup:alerts:configure` sets one up.";
    throw new TrivaultError("NOT_FOUND", message, { permanent: true });
  }
  try {
    const tests = await testChannels(channels, channel ?? null, language, new Date(), signal);
    signal.throwIfAborted();
    if (json) printJson({ channels: tests });
    else {
      const rows = tests.map((test) => [test.channel, test.kind, test.ok ? "arrived" : "FAILED", test.problem ?? ""]);
      printText(table(["CHANNEL", "KIND", "TEST", "PROBLEM"], rows));
    }
    return tests.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
  } finally {
    await Promise.all(channels.map((each) => each.close()));
  }
}
