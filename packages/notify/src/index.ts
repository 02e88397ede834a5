export type { Channel, Mail, Message } from "./types.ts";
