import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Gateway } from '../contract/harness.ts'
import { HARNESSES, NODE } from '../support/harnesses.ts'
import { StrictBackend } from './strict-backend.ts'

/** Every adapter, and the bridge that some of them are made of. */
const ADAPTERS = [...HARNESSES, NODE]

export const ADAPTER_COUNT = ADAPTERS.length

/** A gateway of one adapter before a strict backend, and what was not to happen. */
export interface FuzzedGateway {
  readonly name: string
  readonly port: number
  readonly backend: StrictBackend
  /** Requests that the server has handed to the application, by method and target. */
  readonly taken: string[]
  /**
   * @param attempts how often a request may come to the backend
   * @throws Error when it is not as it was before the first request
   */
  expectSound(attempts: number): Promise<void>
  close(): Promise<void>
}

const uncaught: unknown[] = []

/** Notes what is thrown and what nothing catches, from now on. */
export function watchProcess(): () => void {
  const note = (error: unknown): void => void uncaught.push(error)
  process.on('uncaughtException', note).on('unhandledRejection', note)
  return () => process.off('uncaughtException', note).off('unhandledRejection', note)
}

export async function startFuzzed(adapter: number): Promise<FuzzedGateway> {
  const harness = ADAPTERS[adapter]
  if (harness === undefined) throw new RangeError(`there is no adapter ${adapter}`)
  const backend = await StrictBackend.start()
  const gateway = await harness.start({
    backends: [{ id: 'w1', url: `http://127.0.0.1:${backend.port}` }],
    secrets: ['a-secret-of-the-fuzzer-0123456789abcdef'],
    maxAttempts: 1,
    // Nothing here needs longer, and many a mutated message never ends.
    timeouts: { connect: '5s', response: '100ms', idle: '100ms', tunnel: '100ms' },
  })
  const taken: string[] = []
  for (const event of ['request', 'upgrade']) {
    gateway.server.on(event, ({ method, url }: { method: string; url: string }) => {
      taken.push(`${method} ${url}`)
    })
  }
  return {
    name: harness.name,
    port: gateway.port,
    backend,
    taken,
    expectSound: async attempts => expectSound(gateway, backend, taken, attempts),
    close: async () => {
      await gateway.close()
      await backend.close()
    },
  }
}

async function expectSound(
  gateway: Gateway,
  backend: StrictBackend,
  taken: string[],
  attempts: number,
): Promise<void> {
  const { pool } = gateway.affinity
  const deadlineMs = performance.now() + 5_000
  while (pool.inFlight + pool.queued > 0) {
    if (performance.now() > deadlineMs) throw new Error(`${pool.inFlight} requests are left in flight`)
    await delay(2)
  }
  const [malformed] = backend.malformed.splice(0)
  if (malformed !== undefined) throw new Error(`the backend was sent a malformed request: ${malformed}`)
  expectAttributed(backend.seen.splice(0), taken.splice(0), attempts)
  backend.answer = () => PLAIN
  let said = await askPlainly(gateway.port)
  // A busy machine may need longer than the time that a backend has here.
  for (let tries = 0; tries < 5 && said.startsWith('HTTP/1.1 504 '); tries += 1)
    said = await askPlainly(gateway.port)
  // By now the gateway has seen how each connection of the batch ended: the next batch is not blamed for it.
  const [thrown] = uncaught.splice(0)
  if (thrown !== undefined) throw new Error(`uncaught: ${(thrown as Error).stack}`, { cause: thrown })
  if (!said.startsWith('HTTP/1.1 200 '))
    throw new Error(`a plain request got ${JSON.stringify(said.slice(0, 200))}`)
  backend.seen.splice(0)
  taken.splice(0)
}

const PLAIN = { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain' }

/** Each request that the backend saw was one that the gateway's server had read: none was hidden in another. */
function expectAttributed(seen: readonly string[], taken: readonly string[], attempts: number): void {
  const open = new Map<string, number>()
  for (const request of taken) {
    const key = withoutOrigin(request)
    open.set(key, (open.get(key) ?? 0) + attempts)
  }
  for (const line of seen) {
    const key = line.replace(/ HTTP\/1\.1$/, '')
    const left = open.get(key) ?? 0
    if (left === 0) throw new Error(`the backend saw a request that no client sent: ${JSON.stringify(line)}`)
    open.set(key, left - 1)
  }
}

/** A gateway sends the path of an absolute target (RFC 9112 §3.2.2). */
function withoutOrigin(request: string): string {
  return request.replace(/^(\S+) https?:\/\/[^/?#]*/i, '$1 ').replace(/^(\S+) (?!\/)(?=[?]|$)/, '$1 /')
}

async function askPlainly(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (piece: Buffer) => (text += piece.toString('latin1'))).on('error', () => undefined)
  socket.write('GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await once(socket, 'close')
  return text
}
