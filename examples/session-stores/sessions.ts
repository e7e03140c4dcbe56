import type { Request, RequestHandler, Response } from 'express'

/** The names of the four ways to keep sessions. */
export const WAYS = ['memory', 'redis', 'jwt', 'hybrid'] as const
export type Way = (typeof WAYS)[number]

/** The state of one visitor. */
export interface Visit {
  readonly user?: string
  readonly cart: readonly string[]
  /** The steps of the order that were done. */
  readonly order: Readonly<Record<string, string>>
}

export const NEW_VISIT: Visit = { cart: [], order: {} }

/** A way to keep sessions. The shop is the same for all of them. */
export interface Sessions {
  /** Runs before every route of the shop. */
  readonly middleware: RequestHandler
  load(request: Request): Promise<Visit>
  /** Settles when the visit is safe, before the shop confirms it. */
  save(request: Request, response: Response, visit: Visit): Promise<void>
  /** Begins a session with an id that the browser did not have before the login. */
  begin(request: Request, response: Response, visit: Visit): Promise<void>
}

/** Whether a request of a session has to come to the server that began it, or is at least faster there. */
export function isSticky(way: Way): boolean {
  return way === 'memory' || way === 'hybrid'
}

/** @throws an Error whose message is for the user */
export function wayFrom(text = 'hybrid'): Way {
  const way = WAYS.find(one => one === text)
  if (way === undefined) throw new Error(`SESSIONS got "${text}"; it takes ${WAYS.join(', ')}`)
  return way
}

/** A visit that a way has no room for. */
export class TooLargeError extends Error {}
