import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { type Backends, startBackends } from '@limpet-example/demo/backends'
import type { Gateway } from '@limpet-example/demo/gateway'
import { type Costs, costsOf } from './cost.ts'
import { startGateway } from './gateway.ts'
import { type Kill, killTest } from './kill-test.ts'
import { startRedis } from './redis-server.ts'
import { type Way, WAYS } from './sessions.ts'

/*
 * node compare.ts [--sessions 30] [--rate 150] [--settle 3s] [--times 1000]
 *
 * Each way with three new shops: first the price of a request, and then the kill of shop1 while visitors go on. It prints
 * the tables that the README has.
 */

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '30' },
    rate: { type: 'string', default: '150' },
    settle: { type: 'string', default: '3s' },
    times: { type: 'string', default: '1000' },
  },
})

interface Row {
  readonly way: Way
  readonly costs: Costs
  readonly kill: Kill
}

const redis = await startRedis()
const rows: Row[] = []
for (const way of WAYS) {
  console.error(`${way} …`)
  rows.push(await compared(way))
}
redis.stop()
console.log(`| sessions | users on shop1 | moved | users with loss | lost writes | logged out | errors |
| --- | --- | --- | --- | --- | --- | --- |
${rows.map(killRow).join('\n')}

| sessions | Redis commands of a read | of a write | cookie bytes of a request | shop's CPU time of a read | of a write |
| --- | --- | --- | --- | --- | --- |
${rows.map(costRow).join('\n')}`)

async function compared(way: Way): Promise<Row> {
  let backends: Backends | undefined
  let gateway: Gateway | undefined
  const secret = randomBytes(32).toString('hex')
  try {
    const env = { SESSIONS: way, SESSION_SECRET: secret, REDIS_URL: redis.url }
    backends = await startBackends(new URL('backend.ts', import.meta.url), 'shop', [0, 0, 0], env)
    gateway = await startGateway(way, { port: 0, secret, backends: backends.members })
    const { url } = gateway
    const shops = backends.processes
    const costs = await costsOf({ url, redisUrl: redis.url, shops, times: Number(values.times) })
    const { sessions, rate, settle } = values
    const { pid } = shops[0] ?? {}
    const kill = await killTest({ url, pid, settle, sessions: Number(sessions), rate: Number(rate) })
    return { way, costs, kill }
  } finally {
    await gateway?.close()
    await backends?.stop()
  }
}

function killRow({ way, kill }: Row): string {
  const { usersOnBackend, usersMoved, usersWithLoss, lostWrites, usersLoggedOut, errors } = kill
  return `| ${[way, usersOnBackend, usersMoved, usersWithLoss, lostWrites, usersLoggedOut, errors].join(' | ')} |`
}

function costRow({ way, costs: { read, write } }: Row): string {
  const commands = [read, write].map(({ redisCommands }) => redisCommands.toFixed(1))
  const times = [read, write].map(({ shopMs }) => `${shopMs.toFixed(2)} ms`)
  return `| ${[way, ...commands, write.cookieBytes, ...times].join(' | ')} |`
}
