/** A good hand-written proxy: node:http in front, undici's dispatch behind, and nothing else. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { Agent, type Dispatcher } from 'undici'
import { listen } from './listen.ts'

const backends = process.argv.slice(2)
const agent = new Agent({ connections: 128, pipelining: 1 })
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'expect',
])
let turn = 0

const server = createServer((request, response) => {
  turn += 1
  const headers = { ...request.headers }
  for (const name of HOP_BY_HOP) delete headers[name]
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
      },
      onResponseStart: (_controller, statusCode, fields: IncomingHttpHeaders) => {
        if (statusCode < 200) return
        for (const name of HOP_BY_HOP) delete fields[name]
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
