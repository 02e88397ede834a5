import type { FrameTexts } from "../texts.ts";
import { age, list, quoted, utc } from "./parts.ts";

export const frame: FrameTexts = {
  text: ({ what, safe, todo }) => [what, ...(safe === null ? [] : [safe]), `À faire\u00A0: ${todo}`].join("\n\n"),
  repeated: (seconds, text) => `Cela dure depuis ${age(seconds)}. ${text}`,
  ended({ since, now, elsewhere }) {
    const goesOn =
      elsewhere.length === 0
        ? ""
        : `\n\nTout n’est pas rentré dans l’ordre\u00A0: une autre alerte, pour une autre raison, concerne encore ${list(elsewhere)}.`;
    return `Cela a duré ${age((now.getTime() - since.getTime()) / 1000)}, du ${utc(since)} au ${utc(now)}. Rien à faire.${goesOn}`;
  },
  alert: "Alerte",
  test: {
    title: "Un test de Trivault",
    text: "Quelqu’un vérifie que les alertes arrivent ici. C’est le cas.\n\nRien à faire.",
  },
  notWell: {
    neverLooked: "le site n’a pas encore été examiné",
    silent: (seconds) => `rien n’a été évalué depuis ${age(seconds)}`,
    stale: (at, reason) =>
      `le site a été examiné pour la dernière fois le ${utc(at)}\u00A0: ${reason === null ? "l’observateur est lent" : quoted(reason)}`,
    failed: (reason) => `les alertes n’ont pas pu être évaluées\u00A0: ${quoted(reason)}`,
  },
};
