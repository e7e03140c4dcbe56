import { once } from 'node:events'
import { createServer, type IncomingMessage, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AffinityOptions, createAffinity, type Lease, type RequestHead } from '@limpet/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Attempt, newAttempt, NO_RESPONSE } from './attempt.ts'
import type { AttemptEvents } from './attempt-events.ts'
import { backendAgents } from '../backend/backend-agent.ts'
import { parseTransport } from '../transport-options.ts'

/** A backend, and the heads that it has seen. */
async function startBackend(id: string) {
  const seen: { url: string | undefined; raw: readonly string[] }[] = []
  const server = createServer(({ url, rawHeaders }, response) => {
    seen.push({ url, raw: rawHeaders })
    response.end(id)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  async function refuse(): Promise<void> {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  onTestFinished(refuse)
  return { id, port, seen, refuse, options: { id, url: `http://127.0.0.1:${port}` } }
}

function head(rawHeaders: readonly string[], more: Partial<RequestHead> = {}): RequestHead {
  const headers: Record<string, string> = {}
  for (let index = 0; index < rawHeaders.length; index += 2)
    headers[(rawHeaders[index] ?? '').toLowerCase()] ??= rawHeaders[index + 1] ?? ''
  return {
    method: 'GET',
    url: '/path?query',
    httpVersion: '1.1',
    rawHeaders,
    headers,
    remoteAddress: '192.0.2.1',
    localPort: 80,
    encrypted: false,
    hasBody: false,
    ...more,
  }
}

interface Trying {
  readonly attempt: Attempt
  readonly lease: Lease
  /** The events of the attempt, in order. */
  readonly told: string[]
}

async function tryWith(options: AffinityOptions, asked: RequestHead): Promise<Trying> {
  const affinity = createAffinity({ affinity: [], ...options })
  const agents = backendAgents(affinity, parseTransport({}))
  onTestFinished(() => agents.close())
  const lease = await affinity.select(asked)
  const told: string[] = []
  const events: AttemptEvents = {
    wantsFresh: false,
    framing: ['X-Framing', 'ours'],
    started: sent => void told.push(`started ${sent.reusedSocket ? 'used' : 'new'}`),
    responded: () => void told.push('responded'),
    failed: cause => {
      told.push(`failed at ${lease.backend.id}`)
      lease.failed({ kind: 'unreached', slow: false, cause })
    },
  }
  const attempt: Attempt = newAttempt(lease, asked.method, agents, events, sent => void sent.end())
  return { attempt, lease, told }
}

/** Sends it as httpxy does: the head is not written before there is a socket. */
function send({ attempt: { agent, method, headers } }: Trying) {
  const sent = httpRequest({ host: 'nowhere.invalid', agent: agent as never, method, headers, path: '/' })
  sent.on('error', () => {})
  sent.once('socket', () => sent.end())
  return sent
}

async function responseTo(trying: Trying): Promise<string> {
  const [message] = (await once(send(trying), 'response')) as [IncomingMessage]
  const [said] = await once(message, 'data')
  return String(said)
}

/** Lines of a request, but for those that every one has. */
function linesOf(raw: readonly string[] = []): readonly string[] {
  const lines: string[] = []
  for (let index = 0; index < raw.length; index += 2) lines.push(`${raw[index]}: ${raw[index + 1]}`)
  return lines.filter(line => !/^(x-forwarded|x-real|x-framing|host|connection)/i.test(line))
}

describe('an attempt', () => {
  it("has nothing of the client's but its method and target", async () => {
    const w1 = await startBackend('w1')
    const lines = [
      'Host',
      'a',
      'X-A',
      '1',
      'Connection',
      'x-secret',
      'X-Secret',
      '2',
      'X-Forwarded-For',
      '6.6.6.6',
    ]
    const { attempt } = await tryWith({ backends: [w1.options] }, head(lines, { method: 'PROPFIND' }))
    const { method, url, httpVersion, httpVersionMajor, socket } = attempt
    expect([method, url, httpVersion, httpVersionMajor]).toEqual(['PROPFIND', '/path?query', '1.1', 1])
    expect(attempt.headers).toEqual({})
    expect(socket).toEqual({ writable: true })
  })

  it('may be listened to, and nothing comes of it', async () => {
    const { attempt } = await tryWith({ backends: [{ id: 'a', url: 'http://a.test' }] }, head(['Host', 'a']))
    expect(attempt.on('error', () => {}).on('aborted', () => {})).toBe(attempt)
  })

  it('has a response that has closed, so that httpxy does not wait for it', () => {
    const heard: string[] = []
    const same = NO_RESPONSE.on('close', () => heard.push('close')).on('error', () => heard.push('error'))
    expect([same, NO_RESPONSE.writableFinished, heard]).toEqual([NO_RESPONSE, true, ['close']])
  })

  it('has the lines of the client, in its spelling, and none is lost', async () => {
    const w1 = await startBackend('w1')
    const lines = ['X-One', '1', 'x-two', 'a', 'X-TWO', 'b', 'X-Two', 'c', 'Cookie', 'a=1', 'cookie', 'b=2']
    const odd = ['constructor', '1', 'toString', '2', 'TOSTRING', '3']
    const trying = await tryWith({ backends: [w1.options] }, head(['Host', 'a', ...lines, ...odd]))
    expect(await responseTo(trying)).toBe('w1')
    expect(linesOf(w1.seen[0]?.raw)).toEqual([
      'X-One: 1',
      'x-two: a',
      'X-TWO: b',
      'X-Two: c',
      'Cookie: a=1',
      'cookie: b=2',
      'constructor: 1',
      'toString: 2',
      'TOSTRING: 3',
    ])
  })

  it('has what a tracer sets on it in place of the lines of that name, and how it is framed', async () => {
    const w1 = await startBackend('w1')
    const lines = ['Host', 'a', 'TraceParent', '1', 'X-A', '1', 'Traceparent', '2']
    const sent = send(await tryWith({ backends: [w1.options] }, head(lines)))
    sent.setHeader('traceparent', '3').setHeader('baggage', ['4', '5'])
    await once(sent, 'response')
    const { raw = [] } = w1.seen[0] ?? {}
    expect(linesOf(raw)).toEqual(['X-A: 1', 'traceparent: 3', 'baggage: 4', 'baggage: 5'])
    expect(raw.slice(0, 2)).toEqual(['Host', 'a'])
    expect(raw[raw.indexOf('X-Framing') + 1]).toBe('ours')
  })

  it.each(['connection', 'content-length', 'host', 'upgrade'])('has no %s of httpxy', async name => {
    const w1 = await startBackend('w1')
    const trying = await tryWith({ backends: [w1.options] }, head(['Host', 'a'], { method: 'POST' }))
    Object.assign(trying.attempt.headers, { [name]: name === 'content-length' ? '0' : 'theirs' })
    await responseTo(trying)
    const { raw = [] } = w1.seen[0] ?? {}
    expect(raw).not.toContain('theirs')
    expect(raw).not.toContain('content-length')
  })

  it('that cannot be written is an error', async () => {
    const w1 = await startBackend('w1')
    const trying = await tryWith({ backends: [w1.options] }, head(['Host', 'a', 'X-A', 'a\u0000b']))
    const [error] = await once(send(trying), 'error')
    expect([error.code, trying.told, w1.seen]).toEqual(['ERR_INVALID_CHAR', [], []])
  })

  it.each([
    ['//x//y/../%2e%2E/?a=%zz&b', '//x//y/../%2e%2E/?a=%zz&b'],
    ['http://a/x?y', '/x?y'],
  ])('asks for %s by %s', async (url, target) => {
    const w1 = await startBackend('w1')
    await responseTo(await tryWith({ backends: [w1.options] }, head(['Host', 'a'], { url })))
    expect(w1.seen[0]?.url).toBe(target)
  })

  it('tells when a connection has it', async () => {
    const w1 = await startBackend('w1')
    const trying = await tryWith({ backends: [w1.options] }, head(['Host', 'a']))
    const sent = send(trying)
    const [socket] = await once(sent, 'socket')
    expect([socket.connecting, trying.told]).toEqual([false, ['started new']])
    await once(sent, 'response')
  })

  it('names its own backend in the head where backends are to see their own host', async () => {
    const [w1, w2] = [await startBackend('w1'), await startBackend('w2')]
    const options = { backends: [w1.options, w2.options], host: 'backend' } as const
    expect(await responseTo(await tryWith(options, head(['Host', 'a', 'X-A', '1'])))).toBe('w1')
    const { raw = [] } = w1.seen[0] ?? {}
    const hosts = raw.filter((_, index) => raw[index - 1]?.toLowerCase() === 'host')
    expect(hosts).toEqual([`127.0.0.1:${w1.port}`])
    expect(raw.filter(name => name === 'X-A')).toHaveLength(1)
  })

  it('keeps the Host of the client where that is what backends see', async () => {
    const w1 = await startBackend('w1')
    const trying = await tryWith({ backends: [w1.options] }, head(['hOST', 'shop.test']))
    expect(await responseTo(trying)).toBe('w1')
    expect(w1.seen[0]?.raw.slice(0, 2)).toEqual(['hOST', 'shop.test'])
  })

  it('is an error when the backend refuses the connection', async () => {
    const [w1, w2] = [await startBackend('w1'), await startBackend('w2')]
    await w1.refuse()
    const trying = await tryWith({ backends: [w1.options, w2.options] }, head(['Host', 'a']))
    const [error] = await once(send(trying), 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED', port: w1.port })
    expect(w2.seen).toEqual([])
  })

  it('of a handshake reports a refused connection, and httpxy does not hear of it', async () => {
    const w1 = await startBackend('w1')
    await w1.refuse()
    const trying = await tryWith({ backends: [w1.options] }, head(['Host', 'a']))
    Object.assign(trying.attempt.headers, { connection: 'Upgrade', upgrade: 'websocket' })
    const { agent, method, headers } = trying.attempt
    const sent = httpRequest({ host: 'nowhere.invalid', agent: agent as never, method, headers, path: '/' })
    const heard: string[] = []
    const closed = Promise.withResolvers<void>()
    sent.on('error', () => heard.push('httpxy')).on('close', closed.resolve)
    await closed.promise
    expect([trying.told, heard]).toEqual([['failed at w1'], []])
  })
})
