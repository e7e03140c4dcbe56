import { once } from 'node:events'
import { createServer, type RequestListener, Server as HttpServer } from 'node:http'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** The port of a server of 127.0.0.1 that listens until the test is over. */
export async function listening(server: Server | RequestListener): Promise<number> {
  const listener = typeof server === 'function' ? createServer(server) : server
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  onTestFinished(() => {
    listener.close()
    if (listener instanceof HttpServer) listener.closeAllConnections()
  })
  return (listener.address() as AddressInfo).port
}

/** A connection, until the test is over, to a server that listens as long. */
export async function connectedTo(server: Server | RequestListener): Promise<Socket> {
  const client = connect(await listening(server), '127.0.0.1')
  onTestFinished(() => void client.destroy())
  return client
}
