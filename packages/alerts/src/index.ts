export { type AlertDeps, type AlertDesk, startAlerts } from "./desk.ts";
export { headSeenByAlerts } from "./desk-state.ts";
export { listAlerts } from "./list-alerts.ts";
export { type TokenLife } from "./look.ts";
export { silenceAlert, type SilenceRequest, unsilenceAlert } from "./silence-alert.ts";
export { type ChannelTest, testChannels } from "./test-channels.ts";
export type { Alert, EndedAlert, QueueSeen, Silence } from "./types.ts";
