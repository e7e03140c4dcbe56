import { refuseUpgrade, guardServer, responseInterceptor, SERVER_OPTIONS } from '@limpet/http-proxy'
import { limpet } from './limpet.ts'

/** For the server around the app. */
export { refuseUpgrade, guardServer, SERVER_OPTIONS }
/** For `on.proxyRes`. */
export { responseInterceptor }
export { limpet } from './limpet.ts'
export type { Limpet, LimpetOptions } from './limpet.ts'
export type { BackendRequest, LimpetInfo, ProxyEvents } from '@limpet/http-proxy'
export default limpet

/** The value of require(): the function itself, with all exports, its own names included, as properties. */
const required = Object.assign(limpet, {
  limpet,
  default: limpet,
  refuseUpgrade,
  guardServer,
  responseInterceptor,
  SERVER_OPTIONS,
})
export { required as 'module.exports' }
