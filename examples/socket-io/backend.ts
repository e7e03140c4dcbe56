import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { runBackend } from '@limpet-example/demo/process'
import { Server } from 'socket.io'
import { page } from './page.ts'

/*
 * One Socket.IO server, started as `node backend.ts notes1 9001`. It keeps the notes of its visitors in its own memory,
 * and knows its own connections alone: a poll that comes to another server gets 400 "Session ID unknown".
 *
 *   GET /             the page, and a cookie for the visitor
 *   event "add"       (text, reply)    adds a note; reply({ backend, notes })
 *   event "read"      (reply)          reply({ backend, notes })
 */

/** The reply to each event. */
interface Notes {
  readonly backend: string
  readonly notes: readonly string[]
}

type Reply = (notes: Notes) => void

const MAX_NOTES = 100
const MAX_TEXT = 200

const [id = 'notes', port = '0'] = process.argv.slice(2)
const notesOf = new Map<string, string[]>()

const server = createServer((request, response) => {
  if (request.url !== '/') {
    response.writeHead(404).end()
    return
  }
  const visitor = visitorOf(request.headers.cookie)
  if (visitor === undefined)
    response.setHeader('Set-Cookie', `visitor=${randomUUID()}; Path=/; HttpOnly; SameSite=Lax`)
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page)
})

const io = new Server<{ add: (text: unknown, reply: unknown) => void; read: (reply: unknown) => void }>(
  server,
)
io.on('connection', socket => {
  // A client without the cookie has its notes as long as its connection.
  const visitor = visitorOf(socket.handshake.headers.cookie) ?? socket.id
  function send(reply: unknown): void {
    if (typeof reply === 'function') (reply as Reply)({ backend: id, notes: notesOf.get(visitor) ?? [] })
  }
  socket.on('add', (text, reply) => {
    const notes = notesOf.get(visitor) ?? []
    if (typeof text === 'string' && text.length <= MAX_TEXT && notes.length < MAX_NOTES)
      notesOf.set(visitor, [...notes, text])
    send(reply)
  })
  socket.on('read', send)
})

function visitorOf(cookies = ''): string | undefined {
  return /(?:^|; *)visitor=([^;]*)/.exec(cookies)?.[1]
}

process.on('SIGUSR2', () => process.send?.({ drain: true }))
runBackend(server, port)
