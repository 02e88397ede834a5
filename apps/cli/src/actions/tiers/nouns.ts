import { type Config, type TierConfig, TrivaultError } from "@trivault/core";

/** The nouns under which tiers are reached: each stands for those of some kinds. */
export type TierNoun = "sync" | "cloud" | "local";

interface Noun {
  readonly has: (tier: TierConfig, index: number) => boolean;
  readonly what: string;
  readonly settings: string;
}

const NOUNS: Readonly<Record<TierNoun, Noun>> = {
  local: { has: (_tier, index) => index === 0, what: "local tier", settings: "BACKUP_DIR" },
  sync: {
    has: ({ kind }, index) => index > 0 && kind !== "s3",
    what: "server tier",
    settings:
      "Set BACKUP_REMOTE_SERVER, BACKUP_REMOTE_DIR, BACKUP_SSH_USER, BACKUP_SSH_KEY and BACKUP_SSH_HOST_KEY (or BACKUP_SSH_KNOWN_HOSTS), or give the configuration file a tier of the kind sftp",
  },
  cloud: {
    has: ({ kind }) => kind === "s3",
    what: "cloud tier",
    settings:
      "Set BACKUP_S3_BUCKET, BACKUP_CLOUD_REGION or BACKUP_S3_ENDPOINT, and AWS credentials, or give the configuration file a tier of the kind s3",
  },
};

/** The tiers of a noun, or the one of them that is named. Throws where there is none. */
export function chooseTiers(config: Config, noun: TierNoun, named: string | undefined): [TierConfig, ...TierConfig[]] {
  const { has, what, settings } = NOUNS[noun];
  const [first, ...others] = config.tiers.filter(has);
  if (first === undefined) {
    throw new TrivaultError(
      "CONFIG_INVALID",
      `No ${what} is configured. ${settings}; docs/configuration.md has more.`,
      {
        permanent: true,
      },
    );
  }
  if (named === undefined) return [first, ...others];
  const chosen = [first, ...others].find(({ name }) => name === named);
  if (chosen) return [chosen];
  const known = [first, ...others].map(({ name }) => name).join(", ");
  const elsewhere = config.tiers.find(({ name }) => name === named);
  throw new TrivaultError(
    "NOT_FOUND",
    `There is no ${what} named ${JSON.stringify(named)}, but ${known}.${elsewhere ? ` ${named} is of the kind ${elsewhere.kind}: ${commandsOf(config, elsewhere)}.` : ""}`,
    { permanent: true },
  );
}

function commandsOf(config: Config, tier: TierConfig): string {
  if (tier === config.tiers[0]) return "see backup:rotate and backup:list";
  return `see the commands backup:${tier.kind === "s3" ? "cloud" : "sync"}:…`;
}
