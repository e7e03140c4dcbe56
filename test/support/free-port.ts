import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { onTestFinished } from 'vitest'

/**
 * The ports below those that Linux, macOS and Windows give out by themselves. A backend that refuses connections must
 * not get a successor: a port of the system's choice goes, a moment later, to any process that asks for one.
 */
const [FIRST_PORT, PORTS] = [10_000, 22_768]

/** Each process begins elsewhere, and no process takes a port twice before it has taken all others. */
let taken = Math.imul(process.pid, 7_919) >>> 0

/** Listens on the next port of 127.0.0.1 on which no other server listens. @returns the port */
export async function listenOnNextPort(server: Server): Promise<number> {
  for (;;) {
    taken += 1
    const port = FIRST_PORT + (taken % PORTS)
    const listening = once(server, 'listening')
    server.listen(port, '127.0.0.1')
    try {
      await listening
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

/** A port of 127.0.0.1 that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenOnNextPort(server)
  server.close()
  await once(server, 'close')
  return port
}

/** A port of 127.0.0.1 that is taken until the test ends. */
export async function takenPort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}
