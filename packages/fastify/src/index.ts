import fastifyPlugin from 'fastify-plugin'
import { limpetPlugin } from './limpet.ts'

export { acceptAnyBody } from './any-body.ts'
export type { LimpetOptions, TransportOptions } from './limpet-options.ts'
export { gatewayServerOptions } from './server-options.ts'

/** Session affinity for a Fastify 5 app: register it once for each pool. */
export const limpet = fastifyPlugin(limpetPlugin, { name: '@limpet/fastify', fastify: '5.x' })

export default limpet
// What require() returns.
export { limpet as 'module.exports' }
