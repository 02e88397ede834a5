import { startProgram } from "./program.ts";

export interface RunningApi {
  readonly url: string;
  stop(): Promise<void>;
}

/** The API as a program of its own; resolves when it answers. */
export async function startSiteApi(env: Readonly<Record<string, string>>): Promise<RunningApi> {
  const api = startProgram("api", { env });
  return { url: await api.said(/"url":"(http:[^"]+)","msg":"API ready"/), stop: () => api.end() };
}
