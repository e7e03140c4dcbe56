/** A good hand-written proxy: node:http in front, undici's dispatch behind, and nothing else. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { Agent, type Dispatcher } from 'undici'
import { listen } from './listen.ts'

const backends = process.argv.slice(2)
const agent = new Agent({ connections: 128, pipelining: 1 })
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'expect',
]
let turn = 0

/** Removes what belongs to one connection, also the fields that Connection names (RFC 9110 §7.6.1). */
function keepEndToEnd(fields: IncomingHttpHeaders): void {
  const { connection } = fields
  for (const name of HOP_BY_HOP) delete fields[name]
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return
  for (const name of connection.toLowerCase().split(',')) delete fields[name.trim()]
}

const server = createServer((request, response) => {
  turn += 1
  const headers = { ...request.headers }
  keepEndToEnd(headers)
  const hasBody =
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
  let controller: Dispatcher.DispatchController | undefined
  response.on('close', () => {
    if (!response.writableEnded) controller?.abort(new Error('the client left'))
  })
  response.on('drain', () => controller?.resume())
  agent.dispatch(
    {
      origin: backends[turn % backends.length] ?? '',
      path: request.url ?? '/',
      method: request.method ?? 'GET',
      headers,
      body: hasBody ? request : null,
    },
    {
      onRequestStart: started => {
        controller = started
        if (response.destroyed) started.abort(new Error('the client left'))
      },
      onResponseStart: (_controller, statusCode, fields: IncomingHttpHeaders) => {
        if (statusCode < 200) return
        keepEndToEnd(fields)
        response.writeHead(statusCode, fields)
      },
      onResponseData: (paused, chunk) => {
        if (!response.write(chunk)) paused.pause()
      },
      onResponseEnd: () => response.end(),
      onResponseError: () => {
        if (response.headersSent) response.destroy()
        else response.writeHead(502).end()
      },
    },
  )
})
listen(server)
