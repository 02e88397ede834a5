import { configJsonSchema } from "@trivault/core";
import { EXIT } from "../../exit-codes.ts";
import { printJson } from "../../output.ts";

export async function printSchema(): Promise<number> {
  printJson(configJsonSchema());
  return EXIT.ok;
}
