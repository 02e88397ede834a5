import type { Texts } from "../texts.ts";
import { copies } from "./copies.ts";
import { frame } from "./frame.ts";
import { runs } from "./runs.ts";
import { site } from "./site.ts";
import { tiers } from "./tiers.ts";
import { workers } from "./workers.ts";

export const FRENCH: Texts = { ...runs, ...copies, ...tiers, ...workers, ...site, ...frame };
