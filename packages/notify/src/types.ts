import type { Language, Severity } from "@trivault/core";

/** What is sent to people. No field of it holds a secret. */
export interface Message {
  /** The same at each attempt to deliver it: whoever gets it twice can recognise it. */
  readonly id: string;
  /** `resolved`: what was reported before has ended. `info`: a test, a report. */
  readonly severity: Severity | "resolved" | "info";
  /** The language of title, text and facts, and of the words around them. */
  readonly language: Language;
  /** One line. */
  readonly title: string;
  /** What happened, since when, what is still safe, and what to do: short paragraphs of plain text, an empty line between. */
  readonly text: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** A page of the dashboard, as a path: `/databases/shop`. */
  readonly link: string | null;
  readonly at: Date;
  /** The same for all messages about one thing, so that a channel can thread them. */
  readonly topic: string;
}

export interface Channel {
  readonly name: string;
  readonly kind: string;
  readonly from: Severity;
  /** Resolves once the other side has taken it; retries by itself; throws a TrivaultError CHANNEL_FAILED. */
  send(message: Message, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly attachments?: readonly { readonly name: string; readonly type: string; readonly content: Buffer }[];
  /** The same at each attempt to send it. */
  readonly id?: string;
  /** Mails of one topic are shown together. */
  readonly topic?: string;
}

/** The same with its link in full; null where nobody said where the dashboard is. */
export type Shown = Omit<Message, "link"> & { readonly url: string | null };
