import type { IncomingMessage } from 'node:http'
import { limpet } from '@limpet/express'
import express5, { type ErrorRequestHandler, type Request, type Response } from 'express'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { EXPRESSES } from '../support/express-app.ts'

describe.each(EXPRESSES)('mounted in %s', (_version, express) => {
  describe('with a filter', () => {
    const isApi = ({ headers }: IncomingMessage) => headers['x-api'] !== undefined

    test('it is asked about the whole url wherever it is mounted, and the next handler’s is cut', async () => {
      const seen: unknown[] = []
      const filter = ({ url = '' }: IncomingMessage): boolean => {
        seen.push(url)
        if (url === '/a/b/throw') throw new Error('odd')
        return url.startsWith('/a/b/ours')
      }
      const note = (request: Request, response: Response): void => {
        seen.push(request.url)
        response.end()
      }
      const failed: ErrorRequestHandler = (_error, request, response, _next) => note(request, response)
      const router = express5
        .Router()
        .use('/b', limpet({ ...poolOf(await startBackend('w1')), filter }), note, failed)
      const port = await serve(express().use('/a', router))
      expect((await ask(port, { path: '/a/b/ours?x' })).echo.url).toBe('/a/b/ours?x')
      for (const path of ['/a/b/theirs', '/a/b/throw']) await ask(port, { path })
      expect(seen).toEqual(['/a/b/ours?x', '/a/b/theirs', '/theirs', '/a/b/throw', '/throw'])
    })

    test('unmatched requests go to the next handler, or get 404', async () => {
      const w1 = await startBackend('w1')
      const handler = limpet({ ...poolOf(w1), filter: isApi })
      const app = express()
        .use(handler)
        .get('/own', (_request, response) => void response.send('own'))
      const port = await serve(app)
      const ours = await ask(port, { path: '/own', headers: { 'X-Api': '1' } })
      expect(ours.echo).toMatchObject({ id: 'w1', url: '/own' })
      const own = await ask(port, { path: '/own' })
      expect([own.text, own.cookies()]).toEqual(['own', []])
      expect((await ask(port, { path: '/none' })).status).toBe(404)
      expect(w1.seen).toHaveLength(1)
    })

    test('the body of what is not its own is the next handler’s as well', async () => {
      const handler = limpet({ ...poolOf(), filter: isApi })
      const app = express().use(
        handler,
        express.json(),
        (request, response) => void response.send(request.body),
      )
      const headers = { 'Content-Type': 'application/json' }
      const answer = await ask(await serve(app), { method: 'POST', headers, body: '{ "a": 1 }' })
      expect(answer.text).toBe('{"a":1}')
    })

    test('which throws, the error is the app’s', async () => {
      const filter = () => {
        throw Object.assign(new Error('no'), { status: 418 })
      }
      const app = express().use(limpet({ ...poolOf(), filter }))
      expect((await ask(await serve(app))).status).toBe(418)
    })
  })
})
