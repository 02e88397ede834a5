/** What a command left: its exit code (null where a signal ended its process) and all that it printed. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
