import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { guardServer, SERVER_OPTIONS } from '@limpet/http-proxy'
import { onTestFinished } from 'vitest'

/** An app of whatever framework, which catches its own errors. */
type App = (request: IncomingMessage, response: ServerResponse) => unknown

/** Starts the app on a free port of 127.0.0.1, until the test ends. */
export async function serve(app: App): Promise<number> {
  const server = guardServer(createServer(SERVER_OPTIONS, (request, response) => void app(request, response)))
  onTestFinished(async () => {
    await new Promise<unknown>(resolve => {
      server.close(resolve)
      server.closeAllConnections()
    })
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}
