import type { ApiDeps, App } from "./deps.ts";
import { showBackupRoute } from "./routes/show-backup.ts";
import { listBackupsRoute } from "./routes/list-backups.ts";
import { createBackupRoute } from "./routes/create-backup.ts";
import { backupHealthRoute } from "./routes/backup-health.ts";
import { acceptSizeRoute } from "./routes/accept-size.ts";
import { alertsRoute } from "./routes/alerts.ts";
import { auditRoute } from "./routes/audit.ts";
import { checkRestoreRoute } from "./routes/check-restore.ts";
import { cleanUpTierRoute } from "./routes/clean-up-tier.ts";
import { configRoute } from "./routes/config.ts";
import { copyBackupRoute } from "./routes/copy-backup.ts";
import { databasesRoute } from "./routes/databases.ts";
import { eventsRoute } from "./routes/events.ts";
import { keepsRoute } from "./routes/keeps.ts";
import { restoreBackupRoute } from "./routes/restore-backup.ts";
import { showJobRoute } from "./routes/show-job.ts";
import { showLogRoute } from "./routes/show-log.ts";
import { showManifestRoute } from "./routes/show-manifest.ts";
import { syncTierRoute } from "./routes/sync-tier.ts";
import { testTierRoute } from "./routes/test-tier.ts";
import { tiersRoute } from "./routes/tiers.ts";
import { verifyBackupRoute } from "./routes/verify-backup.ts";

/** The routes under /api/v1 about backups, databases, tiers and what is done to them. */
export function siteRoutes(app: App, deps: ApiDeps): void {
  showBackupRoute(app, deps);
  listBackupsRoute(app, deps);
  createBackupRoute(app, deps);
  backupHealthRoute(app, deps);
  acceptSizeRoute(app, deps);
  alertsRoute(app, deps);
  auditRoute(app, deps);
  checkRestoreRoute(app, deps);
  cleanUpTierRoute(app, deps);
  configRoute(app, deps);
  copyBackupRoute(app, deps);
  databasesRoute(app, deps);
  eventsRoute(app, deps);
  keepsRoute(app, deps);
  restoreBackupRoute(app, deps);
  showJobRoute(app, deps);
  showLogRoute(app, deps);
  showManifestRoute(app, deps);
  syncTierRoute(app, deps);
  testTierRoute(app, deps);
  tiersRoute(app, deps);
  verifyBackupRoute(app, deps);
}
