import type { Response } from 'express'
import { jwtVerify, SignJWT } from 'jose'
import { NEW_VISIT, type Sessions, TooLargeError, type Visit } from './sessions.ts'

/** A browser need not keep a longer cookie (RFC 6265, section 6.1), and the name and attributes count. */
const MAX_TOKEN = 3_800

/** The whole visit is in a signed token, and the browser has it. No server keeps anything. */
export function jwtSessions(secret: string): Sessions {
  const key = new TextEncoder().encode(secret)

  async function save(response: Response, visit: Visit): Promise<void> {
    const token = await new SignJWT({ visit })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime('24h')
      .sign(key)
    if (token.length > MAX_TOKEN) throw new TooLargeError('the visit does not fit into a cookie')
    response.cookie('token', token, { httpOnly: true, sameSite: 'lax' })
  }

  return {
    middleware: (_request, _response, next) => next(),
    async load(request) {
      const [, token] = /(?:^|; *)token=([^;]*)/.exec(request.headers.cookie ?? '') ?? []
      if (token === undefined) return NEW_VISIT
      try {
        const { payload } = await jwtVerify<{ visit: Visit }>(token, key, { algorithms: ['HS256'] })
        return payload.visit
      } catch {
        // Forged, expired or signed with another secret: a new visitor.
        return NEW_VISIT
      }
    },
    save: async (_request, response, visit) => save(response, visit),
    begin: async (_request, response, visit) => save(response, visit),
  }
}
