import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { NEW_VISIT, type Sessions, TooLargeError } from './sessions.ts'

/*
 * One shop, which does not know how its sessions are kept:
 *
 *   POST /login             { user }    200          a login without a password
 *   GET  /me                            200, or 401 without a login
 *   POST /cart/items        { name }    201, { backend, items }
 *   GET  /cart                          200, { backend, items }
 *   POST /order/address     { value }   200          an order in three steps
 *   POST /order/payment     { value }   200, or 409 before the address
 *   POST /order/confirm                 201, or 409 before the payment
 */
export function createShop(id: string, sessions: Sessions): Express {
  const app = express().disable('x-powered-by')
  app.get('/health', (_request, response) => void response.send('ok\n'))
  app.use(sessions.middleware, express.json({ limit: '4kb' }))

  app.post('/login', async (request, response) => {
    const user = textIn(request, response, 'user')
    if (user === undefined) return
    const { cart } = await sessions.load(request)
    await sessions.begin(request, response, { ...NEW_VISIT, user, cart })
    response.json({ backend: id, user })
  })

  app.get('/me', async (request, response) => {
    const { user } = await sessions.load(request)
    if (user === undefined) refuse(response, 401, 'log in first')
    else response.json({ backend: id, user })
  })

  app.get('/cart', async (request, response) => {
    const { cart } = await sessions.load(request)
    response.json({ backend: id, items: cart })
  })

  app.post('/cart/items', async (request, response) => {
    const name = textIn(request, response, 'name')
    if (name === undefined) return
    const visit = await sessions.load(request)
    const cart = [...visit.cart, name]
    await sessions.save(request, response, { ...visit, cart })
    response.status(201).json({ backend: id, items: cart })
  })

  app.post('/order/address', async (request, response) => {
    const address = textIn(request, response, 'value')
    if (address === undefined) return
    const visit = await sessions.load(request)
    await sessions.save(request, response, { ...visit, order: { address } })
    response.json({ backend: id, order: { address } })
  })

  app.post('/order/payment', async (request, response) => {
    const payment = textIn(request, response, 'value')
    if (payment === undefined) return
    const visit = await sessions.load(request)
    if (visit.order['address'] === undefined) {
      refuse(response, 409, 'the address is missing')
      return
    }
    const order = { ...visit.order, payment }
    await sessions.save(request, response, { ...visit, order })
    response.json({ backend: id, order })
  })

  app.post('/order/confirm', async (request, response) => {
    const visit = await sessions.load(request)
    const { user, order } = visit
    if (user === undefined || order['payment'] === undefined) {
      refuse(response, 409, 'the login or the payment is missing')
      return
    }
    await sessions.save(request, response, { ...visit, order: {} })
    response.status(201).json({ backend: id, user, order })
  })

  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    if (error instanceof TooLargeError) refuse(response, 413, error.message)
    else if (error instanceof SyntaxError) refuse(response, 400, 'the body is not JSON')
    // Such as Redis that is down: the visitor may try again, and is not logged out.
    else refuse(response, 503, 'the session is not available')
  })
  return app
}

/** A field of the body; undefined after a response with 400. */
function textIn(request: Request, response: Response, field: string): string | undefined {
  const value = (request.body as Partial<Record<string, unknown>> | undefined)?.[field]
  if (typeof value === 'string' && value.length > 0 && value.length <= 60) return value
  refuse(response, 400, `${field} is a text of 1 to 60 characters, in JSON`)
  return undefined
}

function refuse(response: Response, status: number, error: string): void {
  response.status(status).json({ error })
}
