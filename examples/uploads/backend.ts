import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { runBackend } from '@limpet-example/demo/process'

/*
 * One server for uploads, started as `node backend.ts upload1 9001`. The parts of a file are in its own memory, so
 * one that comes to another server is of an unknown upload: the kind of application that needs
 * affinity. It knows nothing of a gateway.
 *
 *   GET  /                                            200, { backend, uploads }
 *   POST /uploads                 Upload-Length: n    201, Location
 *   PUT  /uploads/:id?offset=n    the next bytes      204, or 409 when n is not what there is
 *   HEAD /uploads/:id                                 200, Upload-Offset
 *   GET  /uploads/:id                                 200, { backend, length, sha256 }, or 409 before the end
 */

const LARGEST = 64 * 1024 * 1024

interface Upload {
  readonly length: number
  readonly parts: Buffer[]
  offset: number
  /** The request that is adding to it. */
  writer: IncomingMessage | undefined
}

const [id = 'upload', port = '0'] = process.argv.slice(2)
const uploads = new Map<string, Upload>()

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy())
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://upload')
  if (pathname === '/') {
    sendJson(response, 200, { backend: id, uploads: uploads.size })
    return
  }
  if (request.method === 'POST' && pathname === '/uploads') {
    begin(request, response)
    return
  }
  const upload = uploads.get(pathname.replace(/^\/uploads\//, ''))
  if (upload === undefined) {
    sendJson(response, 404, { backend: id, error: `${id} knows no such upload` })
    return
  }
  // A client that asks for the offset has given the last part up, though its bytes may still be coming.
  if (request.method === 'PUT' || request.method === 'HEAD') upload.writer?.destroy()
  response.setHeader('Upload-Offset', upload.offset)
  const isComplete = upload.offset === upload.length
  const { method = '' } = request
  switch (method) {
    case 'PUT':
      await append(upload, Number(searchParams.get('offset')), request, response)
      break
    case 'HEAD':
      response.writeHead(200).end()
      break
    case 'GET':
      if (isComplete) sendJson(response, 200, { backend: id, length: upload.length, sha256: sha256(upload) })
      else
        sendJson(response, 409, { backend: id, error: `${upload.offset} of ${upload.length} bytes are here` })
      break
    default:
      sendJson(response, 405, { backend: id, error: 'PUT, HEAD and GET are what there is' })
  }
}

function begin({ headers }: IncomingMessage, response: ServerResponse): void {
  const length = Number(headers['upload-length'])
  if (!Number.isInteger(length) || length < 0 || length > LARGEST) {
    sendJson(response, 400, { backend: id, error: `Upload-Length is 0 to ${LARGEST}` })
    return
  }
  const name = randomUUID()
  uploads.set(name, { length, parts: [], offset: 0, writer: undefined })
  response.setHeader('Location', `/uploads/${name}`)
  sendJson(response, 201, { backend: id })
}

/** The received bytes of a part stay when the rest is lost: the client asks for the offset, and continues there. */
async function append(
  upload: Upload,
  offset: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (offset !== upload.offset) {
    sendJson(response, 409, { backend: id, error: `the next byte is number ${upload.offset}` })
    return
  }
  upload.writer = request
  let surplus = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    const wanted = part.subarray(0, upload.length - upload.offset)
    upload.parts.push(wanted)
    upload.offset += wanted.length
    surplus += part.length - wanted.length
  }
  upload.writer = undefined
  response.setHeader('Upload-Offset', upload.offset)
  if (surplus === 0) response.writeHead(204).end()
  else sendJson(response, 413, { backend: id, error: `${surplus} bytes more than the file has` })
}

function sha256({ parts }: Upload): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  const body = `${JSON.stringify(value)}\n`
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    .end(body)
}

runBackend(server, port)
