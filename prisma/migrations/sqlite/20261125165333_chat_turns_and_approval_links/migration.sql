-- CreateTable
CREATE TABLE "ChatTurn" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "tenant_id" TEXT NOT NULL,
    "user_id" TEXT,
    "thread_id" TEXT NOT NULL,
    "run_id" TEXT NOT NULL,
    "asked" TEXT NOT NULL,
    "said" TEXT,
    "after" INTEGER NOT NULL DEFAULT 0,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "ChatTurn_thread_id_fkey" FOREIGN KEY ("thread_id") REFERENCES "Thread" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "ChatTurn_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "Run" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ApprovalLink" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "approval_id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "user_id" TEXT,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "used_at" DATETIME,
    CONSTRAINT "ApprovalLink_approval_id_fkey" FOREIGN KEY ("approval_id") REFERENCES "Approval" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ServerKey" (
    "name" TEXT NOT NULL PRIMARY KEY,
    "key" TEXT NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- CreateIndex
CREATE INDEX "ChatTurn_tenant_id_said_idx" ON "ChatTurn"("tenant_id", "said");

-- CreateIndex
CREATE INDEX "ChatTurn_tenant_id_asked_created_at_idx" ON "ChatTurn"("tenant_id", "asked", "created_at");

-- CreateIndex
CREATE INDEX "ChatTurn_thread_id_created_at_idx" ON "ChatTurn"("thread_id", "created_at");

-- CreateIndex
CREATE INDEX "ChatTurn_run_id_idx" ON "ChatTurn"("run_id");

-- CreateIndex
CREATE INDEX "ApprovalLink_approval_id_idx" ON "ApprovalLink"("approval_id");
