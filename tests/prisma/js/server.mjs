// The official Prisma client behind lines of JSON, for the differential tests.
//
// argv:   <sqlite|postgresql> <database url> <folder of the generated client>
// stdin:  {"id": 1, "model": "User", "action": "findMany", "args": {...}}
//         {"id": 2, "batch": [{"model", "action", "args"}, ...]}      one $transaction([...])
// stdout: {"id": 1, "ok": ...} | {"id": 1, "error": {"kind": "known" | "validation" | "other", "code", "message"}}
//
// Values that JSON lacks travel as {"$type": "DateTime" | "BigInt" | "Decimal" | "Bytes" | "Json" | "Null" | "FieldRef", "value"}.
// The packages are looked up from the working directory, which is where they were installed.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const [provider, url, clientFolder] = process.argv.slice(2)
const require = createRequire(`${process.cwd()}/`)
const { Prisma, PrismaClient } = require(clientFolder)

function adapter() {
  if (provider === 'sqlite') return new (require('@prisma/adapter-libsql').PrismaLibSql)({ url, intMode: 'bigint' })
  return new (require('@prisma/adapter-pg').PrismaPg)({ connectionString: url })
}

const prisma = new PrismaClient({ adapter: adapter(), errorFormat: 'minimal' })

const decoders = {
  DateTime: (value) => new Date(value),
  BigInt: (value) => BigInt(value),
  Decimal: (value) => new Prisma.Decimal(value),
  Bytes: (value) => Uint8Array.from(Buffer.from(value, 'base64')),
  Json: (value) => JSON.parse(value),
  Null: (value) => Prisma[value],
  FieldRef: ({ _container, _ref }) => delegate(_container).fields[_ref],
}

function decode(value) {
  if (Array.isArray(value)) return value.map(decode)
  if (value === null || typeof value !== 'object') return value
  if (value.$type) return decoders[value.$type](value.value)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, decode(inner)]))
}

function encode(value) {
  if (value === undefined || value === null) return null
  if (typeof value === 'bigint') return { $type: 'BigInt', value: value.toString() }
  if (value instanceof Date) return { $type: 'DateTime', value: value.toISOString() }
  if (Prisma.Decimal.isDecimal(value)) return { $type: 'Decimal', value: value.toFixed() }
  if (value instanceof Uint8Array) return { $type: 'Bytes', value: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(encode)
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, encode(inner)]))
  return value
}

const delegate = (model) => prisma[model[0].toLowerCase() + model.slice(1)]
const promised = ({ model, action, args }) => delegate(model)[action](decode(args))

async function run(request) {
  if (request.batch) return await prisma.$transaction(request.batch.map(promised))
  return await promised(request)
}

function failure(error) {
  const known = error instanceof Prisma.PrismaClientKnownRequestError
  const kind = known ? 'known' : error instanceof Prisma.PrismaClientValidationError ? 'validation' : 'other'
  return { kind, code: error.code ?? null, message: String(error.message) }
}

async function answer(request) {
  let reply
  try {
    reply = { id: request.id, ok: encode(await run(request)) }
  } catch (error) {
    reply = { id: request.id, error: failure(error) }
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`)
}

// A server that is killed breaks idle connections; the pool makes new ones.
process.on('uncaughtException', (error) => process.stderr.write(`${error.stack}\n`))
await prisma.$connect()
process.stdout.write('{"id": 0, "ok": "ready"}\n')
const pending = new Set()
for await (const line of createInterface({ input: process.stdin })) {
  const promise = answer(JSON.parse(line)).finally(() => pending.delete(promise))
  pending.add(promise)
}
await Promise.all(pending)
await prisma.$disconnect()
process.exit(0)
