import { createAffinity, isAffinityError, type RequestHead } from '@limpet/core'
import { attemptError, CookieCollisionError } from '@limpet/core/adapter'
import { limpet, type LimpetOptions } from '@limpet/fastify'
import type { FastifyRequest } from 'fastify'
import { describe, expect, test } from 'vitest'
import { SECRET } from '../contract/start.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { openRaw, parseAnswers } from '../support/raw-client.ts'
import { nameOf, readme, tableOf, wordsOf } from '../support/readme.ts'
import { REQUEST } from '../support/request-head.ts'
import { hang } from '../support/scripts.ts'

const CORE = readme('packages/core')
const FASTIFY = readme('packages/fastify')

describe('the tables of errors', () => {
  test('have the codes and statuses that there are', async () => {
    const w1 = await startBackend('w1', hang)
    const empty = await gateway([])
    const slow = await gateway([w1], { timeouts: { response: 100 } })
    const edited = await gateway([w1], {}, ({ headers }) => void (headers['x-a'] = '\n'))
    const gone = await gateway([], { backends: [{ id: 'w1', url: 'http://127.0.0.1:1' }] })
    const got = [
      await told(empty),
      await told(gone),
      await told(slow),
      localResource(),
      { code: (await told(empty, 'GET /#x HTTP/1.1')).code, status: '400 to 505' },
      await told(edited),
      // Fastify refuses such pools when they are registered.
      { code: new CookieCollisionError('a', 'b').code, status: 500 },
      { code: codeOf(() => createAffinity({ backends: [] })), status: '' },
    ]
    const rows = tableOf(CORE, 'errors')
    expect(rows.map(row => [nameOf(row), row[1]])).toEqual(
      got.map(({ code, status }) => [code, String(status)]),
    )
    expect(tableOf(FASTIFY, 'errors')).toEqual(rows)
  })

  test('have the reasons that there are', async () => {
    const w1 = await startBackend('w1')
    const routes = await gateway([w1], { bodyLimit: 10 })
    const handler = await gateway([w1], { routes: false })
    const twice = ['Host', 'a', 'Content-Length', '1', 'Content-Length', '1']
    const got = await Promise.all([
      refusal({ headers: { host: 'a', 'content-length': '1' }, rawHeaders: twice }),
      refusal({ headers: { host: 'a', 'transfer-encoding': 'chunked', 'content-length': '1' } }),
      refusal({ headers: { host: 'a', 'transfer-encoding': 'gzip, chunked' } }),
      refusal({ headers: {}, rawHeaders: [] }),
      refusal({ headers: { host: 'a b' } }),
      refusal({ rawHeaders: ['Host', 'a', 'Host', 'a'] }),
      ...['/a b', '/a\u0001', '/a\\b', '/a#b', 'http://b/'].map(async url => refusal({ url })),
      refusal({ method: 'OPTIONS', url: '*' }),
      refusal({ method: 'CONNECT' }),
      refusal({ httpVersion: '1.2' }),
      told(routes, 'POST / HTTP/1.1', 'Content-Length: 11', 'elevenbytes'),
      // A parser has rounded the number, so the body cannot be written again.
      told(
        handler,
        'POST / HTTP/1.1',
        'Content-Length: 18\r\nContent-Type: application/json',
        '[9007199254740993]',
      ),
      told(routes, 'POST / HTTP/1.1', 'Content-Length: 2'),
    ])
    const statuses = new Map<string | undefined, Set<number>>()
    for (const { reason, status } of got)
      statuses.set(reason, (statuses.get(reason) ?? new Set()).add(status))
    const rows = tableOf(CORE, 'reasons')
    expect(rows.map(row => [nameOf(row), row[1]])).toEqual(
      [...statuses].map(([reason, all]) => [reason, [...all].join(', ')]),
    )
    expect(new Set(rows.map(nameOf))).toEqual(new Set(wordsOf('RefusalReason')))
    expect(tableOf(FASTIFY, 'reasons')).toEqual(rows)
  })

  test.each(['1.0', '1.1'])('HTTP/%s is a version that passes', async httpVersion => {
    await expect(refusal({ httpVersion })).rejects.toThrow('was not refused')
  })
})

function codeOf(refused: () => unknown): unknown {
  try {
    return refused()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

/** Only a process that has run out of descriptors shows it to a client. */
function localResource(): Told {
  const error = attemptError(
    { id: 'w1', url: new URL('http://127.0.0.1:1') },
    { kind: 'local', slow: false, cause: undefined },
  )
  return { code: error.code, status: error.statusCode }
}

interface Told {
  readonly code: string
  readonly status: number
  readonly reason?: string | undefined
}

/** Tells its clients which error there was. */
async function gateway(
  backends: readonly Backend[],
  options: object = {},
  edit: (request: FastifyRequest) => void = () => {},
): Promise<number> {
  const app = newApp()
  app.addHook('onRequest', async request => edit(request))
  app.setErrorHandler((error, _request, reply) => {
    if (!isAffinityError(error)) throw error
    return reply.code(error.statusCode).send(toldBy(error))
  })
  const all: LimpetOptions = { ...poolOf(...backends), ...options }
  await app.register(limpet, all)
  if (all.routes === false) app.all('/*', (_request, reply) => reply.limpet())
  return listen(app)
}

function toldBy(error: unknown): Told {
  const { code, statusCode: status, reason } = error as { code: string; statusCode: number; reason?: string }
  return { code, status, reason }
}

async function told(port: number, line = 'GET / HTTP/1.1', headers = 'X-A: 1', body = ''): Promise<Told> {
  const connection = await openRaw(port)
  connection.write(`${line}\r\nHost: a\r\n${headers}\r\n\r\n${body}`)
  await connection.until(received => parseAnswers(received).length > 0, 10_000)
  return JSON.parse(parseAnswers(connection.received)[0]?.body ?? '') as Told
}

async function refusal(head: Partial<RequestHead>): Promise<Told> {
  const affinity = createAffinity({ secrets: [SECRET], backends: [{ id: 'a', url: 'http://127.0.0.1:1' }] })
  try {
    await affinity.select({ ...REQUEST, ...head })
  } catch (error) {
    return toldBy(error)
  }
  throw new Error('was not refused')
}
