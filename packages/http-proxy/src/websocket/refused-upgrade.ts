import type { Duplex } from 'node:stream'
import { closingResponse } from '../server/closing-response.ts'
import { endWith } from '../server/linger.ts'
import { isBusy } from './upgrade-request.ts'

/**
 * Refuses an upgrade, or a CONNECT: writes a response on its bare socket, and closes the connection, at the latest 5 s
 * after the response has gone out. Node has let go of such a socket, so its errors are taken care of, too. Behind a
 * request that still waits for its own response there is none: the client would take it for that.
 * @param headers more fields of the response, by their lower-case names
 */
export function refuseUpgrade(
  socket: Duplex,
  statusCode: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  socket.on('error', () => socket.destroy())
  if (isBusy(socket)) socket.destroy()
  else endWith(socket, closingResponse(statusCode, headers))
}
