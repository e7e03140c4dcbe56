import { refuseUpgrade, guardServer, SERVER_OPTIONS } from '@limpet/http-proxy'
import { limpet } from './limpet.ts'

/** For the server around the app. */
export { refuseUpgrade, guardServer, SERVER_OPTIONS }
export { limpet } from './limpet.ts'
export type { Limpet, LimpetOptions } from './limpet.ts'
export default limpet

/** What require() returns: the function, by whatever name one asks for it, and what else is exported as its properties. */
const required = Object.assign(limpet, {
  limpet,
  default: limpet,
  refuseUpgrade,
  guardServer,
  SERVER_OPTIONS,
})
export { required as 'module.exports' }
