-- CreateTable
CREATE TABLE "ChatTurn" (
    "id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "user_id" TEXT,
    "thread_id" TEXT NOT NULL,
    "run_id" TEXT NOT NULL,
    "asked" TEXT NOT NULL,
    "said" TEXT,
    "after" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ChatTurn_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ApprovalLink" (
    "id" TEXT NOT NULL,
    "approval_id" TEXT NOT NULL,
    "tenant_id" TEXT NOT NULL,
    "user_id" TEXT,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "used_at" TIMESTAMP(3),

    CONSTRAINT "ApprovalLink_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ServerKey" (
    "name" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ServerKey_pkey" PRIMARY KEY ("name")
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

-- AddForeignKey
ALTER TABLE "ChatTurn" ADD CONSTRAINT "ChatTurn_thread_id_fkey" FOREIGN KEY ("thread_id") REFERENCES "Thread"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ChatTurn" ADD CONSTRAINT "ChatTurn_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "Run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ApprovalLink" ADD CONSTRAINT "ApprovalLink_approval_id_fkey" FOREIGN KEY ("approval_id") REFERENCES "Approval"("id") ON DELETE CASCADE ON UPDATE CASCADE;
