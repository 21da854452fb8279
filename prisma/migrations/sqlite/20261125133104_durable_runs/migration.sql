-- AlterTable
ALTER TABLE "Customer" ADD COLUMN "external_id" TEXT;

-- AlterTable
ALTER TABLE "Effect" ADD COLUMN "provider" TEXT;
ALTER TABLE "Effect" ADD COLUMN "settled_by" TEXT;
ALTER TABLE "Effect" ADD COLUMN "started_at" DATETIME;

-- AlterTable
ALTER TABLE "Invoice" ADD COLUMN "external_id" TEXT;

-- AlterTable
ALTER TABLE "Thread" ADD COLUMN "deleted_at" DATETIME;

-- CreateTable
CREATE TABLE "Replica" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "host" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "beat" INTEGER NOT NULL DEFAULT 0,
    "started_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "dead_at" DATETIME
);

-- CreateTable
CREATE TABLE "Delivery" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "tenant_id" TEXT NOT NULL,
    "run_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,
    "owner_id" TEXT,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" DATETIME,
    CONSTRAINT "Delivery_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "Run" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "InboundEvent" (
    "provider" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "received_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,

    PRIMARY KEY ("provider", "event_id")
);

-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_Run" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "tenant_id" TEXT NOT NULL,
    "thread_id" TEXT NOT NULL,
    "user_id" TEXT,
    "status" TEXT NOT NULL DEFAULT 'queued',
    "input" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "state" JSONB,
    "last_sequence" INTEGER NOT NULL DEFAULT 0,
    "idempotency_key" TEXT,
    "request_digest" TEXT,
    "request" JSONB,
    "owner_id" TEXT,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "stretch" INTEGER NOT NULL DEFAULT 0,
    "recoveries" INTEGER NOT NULL DEFAULT 0,
    "cancel_requested_at" DATETIME,
    "cancel_seen_at" DATETIME,
    "error_code" TEXT,
    "error_message" TEXT,
    "input_tokens" INTEGER NOT NULL DEFAULT 0,
    "output_tokens" INTEGER NOT NULL DEFAULT 0,
    "steps" INTEGER NOT NULL DEFAULT 0,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    "started_at" DATETIME,
    "finished_at" DATETIME,
    CONSTRAINT "Run_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "Tenant" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "Run_thread_id_fkey" FOREIGN KEY ("thread_id") REFERENCES "Thread" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "Run_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);
INSERT INTO "new_Run" ("created_at", "error_code", "error_message", "finished_at", "id", "idempotency_key", "input", "input_tokens", "last_sequence", "model", "output_tokens", "request_digest", "started_at", "state", "status", "steps", "tenant_id", "thread_id", "updated_at", "user_id") SELECT "created_at", "error_code", "error_message", "finished_at", "id", "idempotency_key", "input", "input_tokens", "last_sequence", "model", "output_tokens", "request_digest", "started_at", "state", "status", "steps", "tenant_id", "thread_id", "updated_at", "user_id" FROM "Run";
DROP TABLE "Run";
ALTER TABLE "new_Run" RENAME TO "Run";
CREATE INDEX "Run_thread_id_created_at_idx" ON "Run"("thread_id", "created_at");
CREATE INDEX "Run_status_created_at_idx" ON "Run"("status", "created_at");
CREATE INDEX "Run_owner_id_status_idx" ON "Run"("owner_id", "status");
CREATE UNIQUE INDEX "Run_tenant_id_idempotency_key_key" ON "Run"("tenant_id", "idempotency_key");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

-- CreateIndex
CREATE INDEX "Delivery_status_created_at_idx" ON "Delivery"("status", "created_at");

-- CreateIndex
CREATE INDEX "Delivery_run_id_idx" ON "Delivery"("run_id");

-- CreateIndex
CREATE UNIQUE INDEX "Customer_tenant_id_external_id_key" ON "Customer"("tenant_id", "external_id");

-- CreateIndex
CREATE UNIQUE INDEX "Invoice_tenant_id_external_id_key" ON "Invoice"("tenant_id", "external_id");
