import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The pool of every program: backends and secret come from the test. */
export const pool = {
  secrets: [process.env['LIMPET_SECRET'] ?? ''],
  backends: JSON.parse(process.env['BACKENDS'] ?? '[]') as { id: string; url: string }[],
}

/** Listens on a free port of 127.0.0.1. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Tells the test that the program is ready. */
export function ready(ports: { readonly port: number; readonly tlsPort?: number }): void {
  process.send?.(ports)
}
