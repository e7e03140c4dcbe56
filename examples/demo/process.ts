import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A backend's side of `backends.ts`: listens on a port of 127.0.0.1 or another host, reports to its parent, and ends
 * when it is told to, or when its parent is gone.
 */
export function runBackend(server: Server, port: string, host = '127.0.0.1'): void {
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (process.send === undefined) throw error
    process.send({ failed: error.code ?? error.message }, () => process.exit(1))
  })
  server.listen(Number(port), host, () => {
    process.send?.({ port: (server.address() as AddressInfo).port })
  })

  function stop(): void {
    server.close(() => process.exit())
    // Requests in flight have a second.
    setTimeout(() => process.exit(), 1_000).unref()
  }
  process.once('SIGTERM', stop)
  process.once('disconnect', stop)
  // A terminal's Ctrl-C comes to every process; the gateway may still need us, and tells us when it does not.
  process.on('SIGINT', () => {
    if (!process.connected) stop()
  })
  // The parent may have gone before we could listen to that.
  if (process.send !== undefined && !process.connected) stop()
}
