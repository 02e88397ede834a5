export const LOCALES = ["en", "fr"] as const;
export type Locale = (typeof LOCALES)[number];

/** What a browser asks for in `Accept-Language`; English where it wants none of ours. */
export function chooseLocale(acceptLanguage: string | undefined): Locale {
  const wanted = (acceptLanguage ?? "")
    .split(",")
    .map((part) => {
      const [tag = "", ...parameters] = part.trim().toLowerCase().split(";");
      const q = parameters.map((each) => /^\s*q=([\d.]+)\s*$/.exec(each)?.[1]).find((each) => each !== undefined);
      return { language: tag.trim().split("-")[0], weight: q === undefined ? 1 : Number(q) };
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight);
  for (const { language } of wanted) {
    const locale = LOCALES.find((each) => each === language);
    if (locale !== undefined) return locale;
  }
  return "en";
}
