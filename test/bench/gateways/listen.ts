import type { Affinity } from '@limpet/core'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from './serve.ts'

/** Starts a server of node:http on a free port. */
export function listen(server: Server, affinity?: Affinity): void {
  server.listen(0, '127.0.0.1', () => {
    serve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, affinity)
  })
}
