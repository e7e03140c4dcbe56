import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { runBackend } from '@limpet-example/demo/process'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { notesServer } from './notes.ts'

/*
 * One MCP server, started as `node backend.ts mcp1 9001`. It keeps its sessions in its own memory, as the SDK's transport
 * does, so a request of a session that comes to another server gets 404: the kind of application that needs affinity.
 */

const [id = 'mcp', port = '0'] = process.argv.slice(2)
const sessions = new Map<string, StreamableHTTPServerTransport>()

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy())
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url?.split('?')[0] !== '/mcp') {
    refuse(response, 'this server has /mcp alone')
    return
  }
  const name = request.headers['mcp-session-id']
  const session = name === undefined ? await begin() : sessions.get(String(name))
  // By the specification a client that gets 404 for its session begins a new one.
  if (session === undefined) refuse(response, `${id} knows no such session`)
  else await session.handleRequest(request, response)
}

/** The transport of a new session. It refuses every request before `initialize`. */
async function begin(): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: name => void sessions.set(name, transport),
    onsessionclosed: name => void sessions.delete(name),
  })
  await notesServer(id).connect(transport)
  return transport
}

function refuse(response: ServerResponse, message: string): void {
  response.writeHead(404, { 'Content-Type': 'application/json' })
  response.end(`${JSON.stringify({ jsonrpc: '2.0', error: { code: -32_001, message }, id: null })}\n`)
}

process.on('SIGUSR2', () => process.send?.({ drain: true }))
runBackend(server, port)
