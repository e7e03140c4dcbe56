import fastifyPlugin from 'fastify-plugin'
import { acceptAnyBody } from './any-body.ts'
import { limpetPlugin } from './limpet.ts'
import { gatewayServerOptions } from './server-options.ts'

export type { LimpetOptions } from './limpet-options.ts'
export { acceptAnyBody, gatewayServerOptions }

/** Session affinity for a Fastify 5 app: register it once for each pool. */
export const limpet = fastifyPlugin(limpetPlugin, { name: '@limpet/fastify', fastify: '5.x' })

export default limpet

/** The value of require(): the plugin, with the other exports as its properties. */
const required = Object.assign(limpet, { limpet, acceptAnyBody, gatewayServerOptions })
export { required as 'module.exports' }
