-- AlterTable
ALTER TABLE "Document" ADD COLUMN     "shared" BOOLEAN NOT NULL DEFAULT false;

-- CreateIndex
CREATE INDEX "Run_user_id_status_idx" ON "Run"("user_id", "status");
