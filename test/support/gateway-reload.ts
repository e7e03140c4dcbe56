import type { GatewayProcess } from './gateway-process.ts'

/** A backend of pool `web` in `/stats.json`. */
interface Row {
  readonly id: string
  readonly state: string
  readonly weight: number
  readonly healthy: boolean
  readonly requests: number
}

/** The backends of pool `web`. */
export async function rowsOf(gateway: GatewayProcess): Promise<readonly Row[]> {
  const stats = JSON.parse((await gateway.admin('GET', '/stats.json')).text)
  return stats.pools.web.backends as Row[]
}

/** Gives the gateway another file. @returns what the reload has changed */
export async function reload(gateway: GatewayProcess, file: object): Promise<readonly string[]> {
  const count = gateway.log.filter(({ event }) => event === 'reloaded').length
  gateway.write(file)
  gateway.signal('SIGHUP')
  return (await gateway.logged('reloaded', count + 1))['changed'] as readonly string[]
}
