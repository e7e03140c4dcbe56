import { limpet } from './limpet.ts'

export { limpet } from './limpet.ts'
export type { Limpet, LimpetOptions } from './limpet.ts'
export default limpet

/** What require() returns: the function, by whatever name one asks for it. */
const required = Object.assign(limpet, { limpet, default: limpet })
export { required as 'module.exports' }
