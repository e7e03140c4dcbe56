import { once } from 'node:events'
import { connect, createServer, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { http2Value } from './single-value.ts'

/** Every field of the registry that may come in a response or in trailers, and some more. */
const NAMES =
  'accept-ranges access-control-allow-credentials access-control-allow-headers access-control-allow-origin access-control-expose-headers access-control-max-age access-control-request-method age allow alt-svc authorization cache-control clear-site-data content-disposition content-encoding content-language content-length content-location content-md5 content-range content-security-policy content-type cookie date dnt etag expect expires forwarded from grpc-status host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards origin p3p pragma priority proxy-authenticate proxy-authorization range referer referrer-policy refresh retry-after server server-timing set-cookie status strict-transport-security timing-allow-origin tk trailer upgrade-insecure-requests user-agent vary via warning www-authenticate x-content-type-options x-frame-options x-own x-powered-by x-xss-protection'.split(
    ' ',
  )

it('is one that Node can write in HTTP/2, whatever the field', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    session.destroy()
    server.close()
  })
  async function writes(headers: OutgoingHttpHeaders): Promise<boolean> {
    const asked = session.request({})
    const [stream] = (await once(server, 'stream')) as [ServerHttp2Stream]
    try {
      stream.respond(headers)
      return true
    } catch {
      return false
    } finally {
      stream.on('error', () => {})
      asked.on('error', () => {}).destroy()
      stream.destroy()
    }
  }
  const refused: string[] = []
  for (const name of NAMES) {
    const value = http2Value(name, ['1', '1'])
    if (!(await writes({ [name]: value }))) refused.push(name)
    // A field that keeps its lines needs no help, and one that loses them does.
    if ((await writes({ [name]: ['1', '1'] })) !== (typeof value === 'object')) refused.push(name)
  }
  expect(refused).toEqual([])
})
