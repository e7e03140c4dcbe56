import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import { writeSync } from 'node:fs'
import { type IncomingMessage, Server } from 'node:http'

/*
 * For `node --import`: as tracing tools do, runs each request of a server in an async context of its own, the user that
 * `X-User` names, and writes a line for each event of limpet's, with the user in whose context it was published.
 */
const users = new AsyncLocalStorage<string>()
const emit = Reflect.get(Server.prototype, 'emit') as (this: Server, ...args: unknown[]) => boolean

Server.prototype.emit = function (this: Server, event: string, ...args: unknown[]): boolean {
  if (event !== 'request') return Reflect.apply(emit, this, [event, ...args])
  const [{ headers }] = args as [IncomingMessage]
  return users.run(String(headers['x-user']), () => Reflect.apply(emit, this, [event, ...args]))
}

for (const name of ['selected', 'connected', 'responded', 'failed', 'released']) {
  const event = `limpet:${name}`
  subscribe(event, () => {
    writeSync(1, `${JSON.stringify({ event, user: users.getStore() })}\n`)
  })
}
