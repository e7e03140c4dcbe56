import { expect } from 'vitest'
import type { Handshake, UpgradeScript } from '../support/handshake.ts'
import { startTunnelBackend, type TunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, type RawTunnel, type UpgradeClients } from '../support/upgrade-clients.ts'
import { acceptWith, switching } from '../support/upgrade-scripts.ts'
import type { GatewayOptions } from './harness.ts'
import type { RunningGateway, Start } from './start.ts'

/** A tunnel through a gateway of its own, with both its ends. */
export interface Tunnel {
  readonly gateway: RunningGateway
  readonly w1: TunnelBackend
  readonly client: RawTunnel
  readonly backend: Handshake
}

/** @param areStubborn whether both ends stay when the other goes, and the backend does not read */
export type OpenTunnel = (timeouts?: GatewayOptions['timeouts'], areStubborn?: boolean) => Promise<Tunnel>

const acceptAndStay: UpgradeScript = handshake => void handshake.socket.write(switching(handshake))

export function tunnelOpener(start: Start, { raw }: UpgradeClients): OpenTunnel {
  return async (timeouts = {}, areStubborn = false) => {
    const w1 = await startTunnelBackend('w1', areStubborn ? acceptAndStay : acceptWith())
    const gateway = await start([w1], { timeouts })
    const client = await raw(gateway.port, handshakeText(), { allowHalfOpen: areStubborn })
    await client.responded()
    return { gateway, w1, client, backend: await w1.handshake() }
  }
}

/** No client is connected any more, and nothing in flight. */
export async function expectOver(gateway: RunningGateway, withinMs = 4_000): Promise<void> {
  const { pool } = gateway
  const left = async () => [await gateway.connections(), ...pool.backends.map(view => view.inFlight)]
  const nothing = [0, ...pool.backends.map(() => 0)]
  await expect.poll(left, { interval: 5, timeout: withinMs }).toEqual(nothing)
}
