// Runs one command of Prisma's schema engine against a live database and prints what it answered.
//
// stdin:  {"provider": "sqlite" | "postgresql", "url": "...", "command": "diff" | "diagnoseMigrationHistory" | ..., "params": {...}}
// stdout: {"ok": ...} | {"error": {"message": "...", "code": "..." | null}}
//
// The packages are looked up from the working directory, which is where they were installed.
// Commands and their params: node_modules/@prisma/schema-engine-wasm/schema_engine.d.ts
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(`${process.cwd()}/`)
const { bindMigrationAwareSqlAdapterFactory } = require('@prisma/driver-adapter-utils')

// Adapter 7.10.0 refuses PostgreSQL's internal type "char" (oid 18), which the engine asks the catalogue for: call it text (oid 25).
function poolThatReadsTheCatalogue(connectionString) {
  const { Pool } = require('pg')
  class CataloguePool extends Pool {
    async query(...args) {
      const result = await super.query(...args)
      for (const field of result.fields ?? []) if (field.dataTypeID === 18) field.dataTypeID = 25
      return result
    }
  }
  return new CataloguePool({ connectionString })
}

function adapterFactory({ provider, url }) {
  if (provider === 'sqlite') return new (require('@prisma/adapter-libsql').PrismaLibSql)({ url })
  if (provider === 'postgresql') return new (require('@prisma/adapter-pg').PrismaPg)(poolThatReadsTheCatalogue(url))
  throw new Error(`unknown provider ${JSON.stringify(provider)}`)
}

async function loadSchemaEngine() {
  const glue = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const bindings = await import(pathToFileURL(glue))
  const module = await WebAssembly.compile(await readFile(glue.replace(/\.js$/, '.wasm')))
  const { exports } = await WebAssembly.instantiate(module, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(exports)
  exports.__wbindgen_start()
  return bindings.SchemaEngine
}

async function answer(request) {
  const SchemaEngine = await loadSchemaEngine()
  const adapter = bindMigrationAwareSqlAdapterFactory(adapterFactory(request))
  const engine = await SchemaEngine.new({ datamodels: request.datamodels }, () => {}, adapter)
  return await engine[request.command](request.params)
}

let text = ''
for await (const chunk of process.stdin) text += chunk
let reply
try {
  reply = { ok: (await answer(JSON.parse(text))) ?? null }
} catch (error) {
  reply = { error: { message: error.message ?? String(error), code: error.code ?? null } }
}
// An open pool would keep the process alive, so it ends here, once the reply is written.
process.stdout.write(JSON.stringify(reply), () => process.exit(0))
