import type { Language } from "@trivault/core";
import { ENGLISH } from "./en/english.ts";
import { FRENCH } from "./fr/french.ts";
import type { Texts } from "./texts.ts";

export const TEXTS: Readonly<Record<Language, Texts>> = { en: ENGLISH, fr: FRENCH };
