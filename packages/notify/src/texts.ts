import { type Language, writeUtc } from "@trivault/core";
import type { Message } from "./types.ts";

/** The words around what a message says. */
interface Texts {
  readonly severity: Readonly<Record<Message["severity"], string>>;
  /** As the language sets it, with the space behind. */
  readonly colon: string;
  readonly dashboard: string;
  readonly openDashboard: string;
  readonly foot: (at: Date) => string;
}

export const TEXTS: Readonly<Record<Language, Texts>> = {
  en: {
    severity: { critical: "Critical", warning: "Warning", resolved: "Resolved", info: "Info" },
    colon: ": ",
    dashboard: "Dashboard",
    openDashboard: "Open the dashboard",
    foot: (at) => `Trivault, ${writeUtc("en", at)}`,
  },
  fr: {
    severity: { critical: "Critique", warning: "Avertissement", resolved: "Terminée", info: "Information" },
    colon: "\u00A0: ",
    dashboard: "Tableau de bord",
    openDashboard: "Ouvrir le tableau de bord",
    foot: (at) => `Trivault, le ${writeUtc("fr", at)}`,
  },
};
