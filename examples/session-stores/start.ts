import { randomBytes } from 'node:crypto'
import { demo } from '@limpet-example/demo'
import { startGateway } from './gateway.ts'
import { startRedis } from './redis-server.ts'
import { isSticky, type Way, wayFrom } from './sessions.ts'

const LOST: Readonly<Record<Way, string>> = {
  memory: 'the cart is gone with it, and so is the login.',
  redis: 'another shop reads the session from Redis.',
  jwt: 'another shop reads the session from the token.',
  hybrid: 'another shop reads the session from Redis once, and has it in memory from then on.',
}

async function start(): Promise<void> {
  const way = wayFrom(process.env['SESSIONS'])
  const needsRedis = way === 'redis' || way === 'hybrid'
  const env = {
    SESSIONS: way,
    SESSION_SECRET: process.env['SESSION_SECRET'] ?? randomBytes(32).toString('hex'),
    ...(needsRedis && { REDIS_URL: (await startRedis()).url }),
  }
  await demo({
    title: `an Express gateway before three shops, with sessions by the way "${way}"`,
    backend: new URL('backend.ts', import.meta.url),
    env,
    name: 'shop',
    signs: isSticky(way),
    people: 'visitors',
    startGateway: async options => startGateway(way, options),
    lines({ url, pid }) {
      const curl = "curl -b jar -c jar -H 'Content-Type: application/json'"
      return `  Log in, fill a cart, and begin an order in three steps.
    ${curl} -d '{"user":"alice"}' ${url}/login
    ${curl} -d '{"name":"apple"}' ${url}/cart/items
    ${curl} -d '{"value":"Main Street 1"}' ${url}/order/address

  Kill a shop, here shop1, and go on. If the session was there, ${LOST[way]}
    kill -9 ${pid}
    ${curl} -d '{"value":"card"}' ${url}/order/payment
    ${curl} -X POST ${url}/order/confirm
    ${curl} ${url}/cart

  The other ways: SESSIONS=memory, redis, jwt or hybrid before the command. All of them, killed and compared:
    node examples/session-stores/compare.ts
`
    },
  })
}

try {
  await start()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
