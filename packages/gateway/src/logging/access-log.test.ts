import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { AccessLog, type AccessLogOptions } from './access-log.ts'

/** The lines of the access log, for requests that a client sends to such a server, each after the last response. */
async function linesOf(
  requests: readonly string[],
  listener: RequestListener,
  options: Partial<AccessLogOptions> = {},
): Promise<readonly Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = []
  const write = (line: object): void => void lines.push({ ...line })
  const log = new AccessLog({ log: { write }, sample: 1, ...options })
  const server = createServer((request, response) => {
    log.begin(request, response, 'web')
    listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(() => {
    client.destroy()
    server.close()
  })
  const closed = once(client.resume(), 'close')
  for (const request of requests) {
    client.write(request)
    await Promise.race([once(client, 'data'), closed])
  }
  await closed
  server.close()
  await once(server, 'close')
  return lines
}

const get = (path: string, connection = 'keep-alive'): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: ${connection}\r\n\r\n`

it('has a line for each request of a connection, with the bytes of each, and no query', async () => {
  const lines = await linesOf([get('/a?token=hush'), get('/b', 'close')], ({ url }, response) =>
    response.writeHead(url === '/b' ? 404 : 200).end('body'),
  )
  expect(lines).toMatchObject([
    { event: 'request', method: 'GET', host: 'a', path: '/a', status: 200, pool: 'web', end: 'complete' },
    { path: '/b', status: 404, attempts: 0, client: '127.0.0.1' },
  ])
  const [first, second] = lines
  expect(Number(first?.['bytesOut'])).toBeGreaterThan(20)
  expect(Number(second?.['bytesOut'])).toBeGreaterThan(20)
  expect(Number(first?.['bytesIn']) + Number(second?.['bytesIn'])).toBe(
    (get('/a?token=hush') + get('/b', 'close')).length,
  )
})

it('tells that a client has left before its response', async () => {
  const lines = await linesOf([get('/')], ({ socket }) => void socket.destroy())
  expect(lines).toMatchObject([{ status: 499, end: 'client_left' }])
})

it('leaves out what it is told to, and a share by chance', async () => {
  const all = [get('/health'), get('/assets/x'), get('/assets'), get('/gone', 'close')]
  const answer: RequestListener = ({ url }, response) => response.writeHead(url === '/gone' ? 410 : 200).end()
  const pathsWith = async (options: Partial<AccessLogOptions>): Promise<unknown> =>
    (await linesOf(all, answer, options)).map(line => line['path'])
  expect(
    await pathsWith({
      skip: [
        { path: '/health', status: undefined },
        { path: '/assets/', status: undefined },
      ],
    }),
  ).toEqual(['/assets', '/gone'])
  expect(await pathsWith({ skip: [{ path: undefined, status: '2xx' }] })).toEqual(['/gone'])
  expect(await pathsWith({ skip: [{ path: '/gone', status: 200 }] })).toHaveLength(4)
  let turn = 0
  expect(await pathsWith({ sample: 0.5, random: () => (turn++ % 2 === 0 ? 0.5 : 0.49) })).toEqual([
    '/assets/x',
    '/gone',
  ])
})

it('cuts and escapes the texts of a client', async () => {
  const bytes = `GET /${'x'.repeat(300)} HTTP/1.1\r\nHost: a\u009b2J\r\nConnection: close\r\n\r\n`
  const [line] = await linesOf([bytes], (_request, response) => response.end())
  expect(line?.['path']).toHaveLength(256)
  expect(line?.['host']).toMatch(/^a[^\u0080-\u009f]*\\x9b2J$/)
})
