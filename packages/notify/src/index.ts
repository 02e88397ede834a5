export { pingDeadMan } from "./dead-man.ts";
export { createMailer, type Mailer } from "./mailer.ts";
export { type ChannelOptions, openChannels } from "./open-channels.ts";
export type { Channel, Mail, Message } from "./types.ts";
export { signBody, verifySignature } from "./webhook.ts";
