import { promisify } from 'node:util'
import type { Request } from 'express'
import session, { type Store } from 'express-session'
import { NEW_VISIT, type Sessions, type Visit } from './sessions.ts'

declare module 'express-session' {
  interface SessionData {
    visit: Visit
  }
}

/** Sessions of express-session: the browser has an id, and a store has the visit. Without a store it is in memory. */
export function serverSessions(secret: string, store?: Store): Sessions {
  const middleware = session({
    name: 'sid',
    secret,
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax' },
    ...(store === undefined ? {} : { store }),
  })

  async function save(request: Request, visit: Visit): Promise<void> {
    request.session.visit = visit
    await promisify(request.session.save.bind(request.session))()
  }

  return {
    middleware,
    load: async request => request.session.visit ?? NEW_VISIT,
    save: async (request, _response, visit) => save(request, visit),
    async begin(request, _response, visit) {
      await promisify(request.session.regenerate.bind(request.session))()
      await save(request, visit)
    },
  }
}
