import { once } from 'node:events'
import { createServer, type ServerOptions } from 'node:http'
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type Http2ServerResponse,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connectedTo } from '../listening.fixture.ts'
import { respondToClientError, guardServer, refuseConnect, SERVER_OPTIONS } from './server.ts'

/** A guarded server that answers every request it gets, and how often that was. */
async function guarded(options: ServerOptions = {}) {
  const seen: string[] = []
  const server = guardServer(
    createServer({ ...SERVER_OPTIONS, ...options }, ({ url = '', socket }, response) => {
      seen.push(url)
      socket.on('error', () => {})
      if (url === '/begun') response.write('begun')
      else response.end('served')
    }),
  )
  return { seen, client: await connectedTo(server) }
}

describe('a guarded server', () => {
  it.each([
    ['are no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 400],
    [
      'are framed in two ways',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['have a head without an end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}`, 431],
  ])('answers bytes that %s, and hangs up', async (_, bytes, status) => {
    const { seen, client } = await guarded()
    client.write(bytes)
    const said = await text(client)
    expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\\r\\nconnection: close\\r\\n`, 's'))
    expect(said.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(seen).toEqual([])
  })

  it('answers a head that does not come, and hangs up', async () => {
    const { seen, client } = await guarded({ headersTimeout: 100, connectionsCheckingInterval: 20 })
    const begun = performance.now()
    client.write('GET / HTTP/1.1\r\nHost: a\r\n')
    expect(await text(client)).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(performance.now() - begun).toBeGreaterThan(95)
    expect(seen).toEqual([])
  })

  it('answers chunks that are all extensions, and hangs up', async () => {
    const { client } = await guarded()
    client.write(`POST /begun HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`)
    await once(client, 'data')
    client.write(`1;${'x'.repeat(20_000)}\r\nx\r\n`)
    // An answer has begun, so there can be none.
    expect(await text(client)).toBe('')
  })

  it('answers what follows a request, behind its answer', async () => {
    const { seen, client } = await guarded()
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(client, 'data')
    client.write('nonsense\r\n\r\n')
    expect(await text(client)).toMatch(/^HTTP\/1\.1 400 /)
    expect(seen).toEqual(['/'])
  })

  it('answers nothing in the middle of an answer: it would be taken for its rest, or for another', async () => {
    const { seen, client } = await guarded()
    const all: Buffer[] = []
    client.on('data', (data: Buffer) => all.push(data))
    client.write('GET /begun HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(client, 'data')
    client.write('nonsense\r\n\r\n')
    await once(client, 'close')
    expect(String(Buffer.concat(all)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200'])
    expect(seen).toEqual(['/begun'])
  })

  it('answers CONNECT, and hangs up', async () => {
    const { seen, client } = await guarded()
    client.write('CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n')
    expect(await text(client)).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n/)
    expect(seen).toEqual([])
  })

  it('serves all else, and keeps the connection', async () => {
    const { seen, client } = await guarded()
    client.write(`GET /a HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(16_000)}\r\n\r\n`)
    expect(String((await once(client, 'data'))[0])).toContain('served')
    client.write('GET /b HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(String((await once(client, 'data'))[0])).toContain('served')
    expect(seen).toEqual(['/a', '/b'])
  })
})

describe('an error of a client', () => {
  it.each([
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
    ['HPE_HEADER_OVERFLOW', 431],
    ['ERR_HTTP_REQUEST_TIMEOUT', 408],
    ['HPE_INVALID_METHOD', 400],
    [undefined, 400],
  ])('%s is %i', async (code, status) => {
    const socket = new PassThrough()
    respondToClientError(Object.assign(new Error('no'), code === undefined ? {} : { code }), socket)
    expect(await text(socket)).toContain(`HTTP/1.1 ${status} `)
    expect(socket.destroyed).toBe(true)
  })

  it('that has left is not answered', () => {
    const gone = new PassThrough().resume()
    respondToClientError(Object.assign(new Error('no'), { code: 'ECONNRESET' }), gone)
    const ended = new PassThrough().end()
    respondToClientError(new Error('no'), ended)
    expect([gone.destroyed, gone.readableLength, ended.destroyed]).toEqual([true, 0, true])
  })
})

describe('CONNECT by HTTP/2', () => {
  it('is answered on its stream, and the others go on', async () => {
    const server = createHttp2Server((_request, response) => void response.end('served'))
    server.on('connect', (request: unknown, response: unknown) => {
      refuseConnect(request, response as Http2ServerResponse)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    onTestFinished(() => {
      session.destroy()
      server.close()
    })
    const asked = session.request({ ':method': 'CONNECT', ':authority': 'a.test:443' })
    const [head] = await once(asked, 'response')
    expect([head[':status'], head['cache-control']]).toEqual([501, 'no-store'])
    expect(await text(session.request({ ':path': '/' }))).toBe('served')
  })
})

describe('an error of a guarded server', () => {
  const emfile = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' })

  it('for want of a descriptor does not end the process', () => {
    expect(() => guardServer(createServer()).emit('error', emfile)).not.toThrow()
  })

  it.each([
    Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', syscall: 'listen' }),
    Object.assign(new Error('listen EMFILE'), { code: 'EMFILE', syscall: 'listen' }),
  ])('of another kind is thrown when nothing else listens: $message', error => {
    const server = guardServer(createServer())
    expect(() => server.emit('error', error)).toThrow(error)
    const heard: unknown[] = []
    server.on('error', told => heard.push(told))
    server.emit('error', error)
    expect(heard).toEqual([error])
  })
})
