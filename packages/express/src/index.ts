import { limpet } from './limpet.ts'

export { limpet } from './limpet.ts'
export type { Limpet, LimpetOptions } from './limpet.ts'
export default limpet
// What require() returns.
export { limpet as 'module.exports' }
