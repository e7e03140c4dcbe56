import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { runBackend } from '@limpet-example/demo/process'
import { type Message, PrefixCache, tokensOf } from './prefix-cache.ts'

/*
 * One scripted inference server, started as `node backend.ts llm1 9001`. It computes nothing: an uncached token of the
 * prompt takes a fixed time, and the reply is a stream of words in the form of POST /v1/chat/completions.
 */

const CACHE_TOKENS = 15_000
const MS_PER_UNCACHED_TOKEN = 0.05
const WORDS = 25
const MAX_BODY = 1024 * 1024

const [id = 'llm', port = '0'] = process.argv.slice(2)
const cache = new PrefixCache(CACHE_TOKENS)

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy())
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
    refuse(response, 404, 'this server has POST /v1/chat/completions alone')
    return
  }
  if (Number(request.headers['content-length'] ?? Infinity) > MAX_BODY) {
    refuse(response, 413, `a body has a Content-Length of at most ${MAX_BODY}`)
    return
  }
  const messages = messagesIn(await text(request))
  if (messages === undefined) refuse(response, 400, 'messages is a list of { role, content }')
  else await reply(messages, response)
}

async function reply(messages: readonly Message[], response: ServerResponse): Promise<void> {
  const promptTokens = messages.reduce((sum, message) => sum + tokensOf(message), 0)
  const cachedTokens = cache.cachedTokens(messages)
  await setTimeout((promptTokens - cachedTokens) * MS_PER_UNCACHED_TOKEN)
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
    'X-Served-By': id,
  })
  // The whole line of words depends on the prompt alone, as with a temperature of 0.
  const content = Array.from({ length: WORDS }, (_, word) => `word${(messages.length * 7 + word) % 100} `)
  for (const piece of content) send(response, { choices: [{ delta: { content: piece } }] })
  cache.add([...messages, { role: 'assistant', content: content.join('') }])
  send(response, {
    choices: [],
    usage: { prompt_tokens: promptTokens, prompt_tokens_details: { cached_tokens: cachedTokens } },
  })
  response.end('data: [DONE]\n\n')
}

function send(response: ServerResponse, event: object): void {
  response.write(`data: ${JSON.stringify(event)}\n\n`)
}

function messagesIn(body: string): readonly Message[] | undefined {
  try {
    const { messages } = JSON.parse(body) as { messages?: unknown }
    return Array.isArray(messages) && messages.every(isMessage) ? messages : undefined
  } catch {
    return undefined
  }
}

function isMessage(value: unknown): value is Message {
  const { role, content } = (value ?? {}) as Partial<Record<string, unknown>>
  return typeof content === 'string' && ['assistant', 'system', 'user'].includes(String(role))
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(`${JSON.stringify({ error: { message } })}\n`)
}

process.on('SIGUSR2', () => process.send?.({ drain: true }))
runBackend(server, port)
