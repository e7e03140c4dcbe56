import { createRequire } from 'node:module'
import { createAffinity } from '@limpet/core'
import { limpet, type LimpetOptions } from '@limpet/express'
import express5, { type ErrorRequestHandler } from 'express'
import type { Backend } from './backend.ts'
import { poolOf } from './fastify-app.ts'

/** The version before has no types of its own under this name. */
const express4 = createRequire(import.meta.url)('express-4') as typeof express5

/** Both versions of Express. */
export const EXPRESSES = [
  ['Express 5', express5],
  ['Express 4', express4],
] as const

/** Middleware before a pool of these backends, and what one can see of it. */
export function pool(backends: readonly Backend[], options: Partial<LimpetOptions> = {}) {
  const affinity = createAffinity(poolOf(...backends))
  return { affinity, handler: limpet({ use: affinity, ...options }) }
}

/** An error handler that answers nothing. */
export function noting(errors: unknown[]): ErrorRequestHandler {
  return (error, _request, _response, _next) => void errors.push(error)
}
