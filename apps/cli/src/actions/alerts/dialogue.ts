import type { MailConfig } from "@trivault/core";
import type { Wanted } from "./changes.ts";

/** How a person is asked; tests answer by themselves. */
export interface Asking {
  ask(question: string): Promise<string>;
  /** Without echo. */
  askSecret(question: string): Promise<string>;
  say(text: string): void;
}

const KINDS = ["email", "slack", "discord", "teams", "telegram", "ntfy", "webhook"] as const;
type Kind = (typeof KINDS)[number];

const ADDRESS: Readonly<Record<Exclude<Kind, "email" | "telegram">, string>> = {
  slack: "In Slack: Apps → Incoming Webhooks → Add to a channel. The URL that it gives",
  discord: "In Discord: the channel's settings → Integrations → Webhooks → New. Its URL",
  teams:
    "In Teams: the channel → Workflows → “Post to a channel when a webhook request is received”. The URL that it gives",
  ntfy: "The topic's URL, such as https://ntfy.sh/ and a name that nobody guesses",
  webhook: "The URL that takes the JSON",
};

/** Asks for one channel after another, and for the dead man's switch; each answer is one step to be tried and written. */
export async function* dialogue(asking: Asking, mail: MailConfig | null): AsyncGenerator<Wanted> {
  asking.say("Where shall alerts go? Leave an answer empty to end. Secrets are not shown; instead of one you may name");
  asking.say("the environment variable that holds it, such as SLACK_URL, which is then all that stands in the file.");
  let hasMail = mail !== null;
  for (;;) {
    const kind = await choice(asking, `Which channel? (${KINDS.join(", ")}; empty: no more) `, KINDS);
    if (kind === null) break;
    const name = (await asking.ask(`Its name, for the configuration [${kind}]: `)) || kind;
    const severe = await asking.ask("Only what is critical? (y/N) ");
    const common = { channel: name, kind, ...(isYes(severe) ? { from: "critical" } : {}) };
    if (kind === "email") {
      yield {
        ...common,
        ...(hasMail ? {} : await askForMail(asking)),
        to: list(await needed(asking, "Who gets the mail? ")),
      };
      hasMail = true;
    } else if (kind === "telegram") {
      const token = await askForSecret(asking, "In Telegram: ask @BotFather for a /newbot. The token that it gives: ");
      const chatId = await needed(asking, "The chat's number, such as -1001234567890, or @name: ");
      yield {
        ...common,
        chatId,
        ...("env" in token ? { botTokenEnv: token.env } : { secrets: { channel: token.value } }),
      };
    } else {
      const url = await askForSecret(asking, `${ADDRESS[kind]}: `);
      yield { ...common, ...("env" in url ? { urlEnv: url.env } : { secrets: { channel: url.value } }) };
    }
  }
  asking.say(
    "A dead man's switch is a URL elsewhere (healthchecks.io and its like) that is called while everything is healthy; when",
  );
  asking.say("this machine is dead, that silence raises the alarm.");
  const deadMan = await asking.askSecret("Its URL, or the variable that holds it (empty: leave it as it is): ");
  if (deadMan === "") return;
  yield isVariable(deadMan) ? { deadManUrlEnv: deadMan } : { secrets: { deadManUrl: deadMan } };
}

async function askForMail(asking: Asking): Promise<Wanted> {
  const mailHost = await needed(asking, "The mail server (SMTP), such as smtp.example.org: ");
  const securities = ["starttls", "tls", "none"] as const;
  const mailSecurity =
    (await choice(
      asking,
      "Its encryption: starttls, tls, or none for a server on this machine [starttls]: ",
      securities,
    )) ?? "starttls";
  const port = await asking.ask("Its port [as usual for that]: ");
  const mailUser = await asking.ask("The login there (empty: none): ");
  const password = mailUser === "" ? null : await askForSecret(asking, "Its password: ");
  const mailFrom = await needed(asking, "The sender, such as Trivault <backup@example.org>: ");
  return {
    mailHost,
    mailSecurity,
    mailFrom,
    ...(/^\d{1,5}$/.test(port) ? { mailPort: Number(port) } : {}),
    ...(mailUser === "" ? {} : { mailUser }),
    ...(password === null
      ? {}
      : "env" in password
        ? { mailPasswordEnv: password.env }
        : { secrets: { mailPassword: password.value } }),
  };
}

async function choice<T extends string>(asking: Asking, question: string, from: readonly T[]): Promise<T | null> {
  for (;;) {
    const answer = (await asking.ask(question)).toLowerCase();
    if (answer === "") return null;
    const found = from.find((each) => each === answer);
    if (found !== undefined) return found;
    asking.say(`There is ${from.join(", ")}.`);
  }
}

async function needed(asking: Asking, question: string): Promise<string> {
  for (;;) {
    const answer = await asking.ask(question);
    if (answer !== "") return answer;
    asking.say("This is needed.");
  }
}

type Secret = { readonly env: string } | { readonly value: string };

async function askForSecret(asking: Asking, question: string): Promise<Secret> {
  for (;;) {
    const answer = await asking.askSecret(question);
    if (answer !== "") return isVariable(answer) ? { env: answer } : { value: answer };
    asking.say("This is needed.");
  }
}

const isVariable = (text: string) => /^[A-Z][A-Z0-9_]{2,99}$/.test(text);
const isYes = (text: string) => /^(?:y|yes|o|oui)$/i.test(text);
const list = (text: string) => text.split(/[,\s]+/).filter((each) => each !== "");
