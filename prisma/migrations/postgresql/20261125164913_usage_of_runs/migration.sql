-- AlterTable
ALTER TABLE "Run" ADD COLUMN     "first_token_ms" INTEGER,
ADD COLUMN     "generation_ms" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "queue_ms" INTEGER NOT NULL DEFAULT 0;

-- CreateIndex
CREATE INDEX "Run_tenant_id_created_at_idx" ON "Run"("tenant_id", "created_at");
