export interface Schedule {
  readonly cron: string;
  readonly timeZone: string;
}
