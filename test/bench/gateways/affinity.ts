/** The affinity that all gateways with limpet have: a signed cookie with both timeouts. */
import { createAffinity } from '@limpet/core'

export const affinity = createAffinity({
  backends: process.argv.slice(2).map((url, index) => ({ id: `w${index + 1}`, url })),
  secrets: ['bench-0123456789abcdefghijklmnopqrstuvwxyz'],
  affinity: [{ cookie: { maxIdle: '30m', maxLife: '8h' } }],
})
