import { refuseUpgrade, guardServer, SERVER_OPTIONS } from '@limpet/http-proxy'
import { limpet } from './limpet.ts'

/** For the server around the app. */
export { refuseUpgrade, guardServer, SERVER_OPTIONS }
export { limpet } from './limpet.ts'
export type { Limpet, LimpetOptions } from './limpet.ts'
export type { LimpetInfo } from '@limpet/http-proxy'
export default limpet

/** The value of require(): the function itself, with all exports, its own names included, as properties. */
const required = Object.assign(limpet, {
  limpet,
  default: limpet,
  refuseUpgrade,
  guardServer,
  SERVER_OPTIONS,
})
export { required as 'module.exports' }
