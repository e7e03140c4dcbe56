import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Child } from '../bench/child.ts'
import { type Backend, startBackend } from '../support/backend.ts'
import { freePort } from '../support/free-port.ts'
import { ask, open } from '../support/http-client.ts'
import { echo } from '../support/scripts.ts'

/**
 * Bodies that are far larger than a gateway may buffer, through a gateway that is a process of its own.
 * The reader waits until no more is taken: then as much as possible is under way. Some of it is
 * in the kernel, which may give each socket tens of megabytes; the gateway's part shows in its resident set.
 */

const MIB = 1024 * 1024
const BIG = randomBytes(100 * MIB)
const BIG_SHA256 = sha256(BIG)
/** Enough for code to be compiled and for sockets to have their buffers. */
const SMALL = BIG.subarray(0, 8 * MIB)
/** The most that the gateway's resident set may grow by. */
const MAX_RSS = 32 * MIB
const PIECE = 64 * 1024
/**
 * How much passes between two collections of garbage. V8 lets 64 MB of dead buffers lie before it looks for them, in
 * any gateway, and they are not what is asked for here.
 */
const COLLECTED = 8 * MIB

/** A body on its way through `gateway`, of which one can tell how much has been taken. */
class Body {
  readonly #gateway: Child
  readonly #bytes: Buffer
  #taken = 0
  #isCollecting = false

  constructor(gateway: Child, bytes: Buffer) {
    this.#gateway = gateway
    this.#bytes = bytes
  }

  async *pieces(): AsyncIterable<Buffer> {
    for (let at = 0; at < this.#bytes.length; at += PIECE) {
      if (at % COLLECTED === 0) await this.#collect()
      this.#taken = at + PIECE
      yield this.#bytes.subarray(at, this.#taken)
    }
  }

  /**
   * Resolves when no more of it is taken, with the amount that was. There is no event for that, so it
   * is polled a few times: this process may be the one that has been busy.
   */
  async stuck(): Promise<number> {
    let before = -1
    for (let looks = 0; looks < 5; looks += 1) {
      if (before !== this.#taken || this.#isCollecting) looks = 0
      before = this.#taken
      await delay(20)
    }
    return before
  }

  async #collect(): Promise<void> {
    this.#isCollecting = true
    await this.#gateway.report()
    this.#isCollecting = false
  }
}

/** The header fields that frame it. */
type Framing = (bytes: Buffer) => OutgoingHttpHeaders
const withLength: Framing = bytes => ({ 'Content-Length': bytes.length })
const inChunks: Framing = () => ({})

const WAYS = [
  { way: 'go up in chunks', transfer: upload, framing: inChunks, refusing: 0 },
  {
    way: 'go up with their length to the third backend, for two refuse',
    transfer: upload,
    framing: withLength,
    refusing: 2,
  },
  { way: 'come down with their length', transfer: download, framing: withLength, refusing: 0 },
  {
    way: 'come down in chunks from the third backend, for two refuse',
    transfer: download,
    framing: inChunks,
    refusing: 2,
  },
]

describe('100 MB', () => {
  // The adapters of Express and Koa share their forwarder, and take turns.
  test.each([
    ...WAYS.map(of => ({ way: of.way, of, adapter: 'fastify' })),
    ...WAYS.map((of, at) => ({ way: of.way, of, adapter: at % 2 === 0 ? 'express' : 'koa' })),
  ])(
    '$way through a gateway of $adapter, byte for byte, and it holds little of them at a time',
    async ({ adapter, of: { transfer, framing, refusing } }) => {
      const w3 = await startBackend('w3')
      const gateway = await startGateway(adapter, w3, refusing)
      await transfer(gateway, w3, SMALL, framing)
      const before = await gateway.report()
      expect(await transfer(gateway, w3, BIG, framing)).toBe(BIG_SHA256)
      const after = await gateway.report()
      expect(after.failures - before.failures).toBe(refusing)
      expect(after.peakRss - before.rss).toBeLessThan(MAX_RSS)
    },
  )
})

/** A gateway whose first backends refuse connections; the others are all the same. */
async function startGateway(adapter: string, backend: Backend, refusing: number): Promise<Child> {
  const urls = Array.from({ length: 3 }, () => String(backend.options.url))
  for (let index = 0; index < refusing; index += 1) urls[index] = `http://127.0.0.1:${await freePort()}`
  const gateway = await Child.start(`gateways/limpet-${adapter}`, urls, ['--expose-gc'])
  onTestFinished(async () => gateway.stop())
  return gateway
}

/** The hash of what arrives at the backend. */
async function upload(gateway: Child, backend: Backend, bytes: Buffer, framing: Framing): Promise<string> {
  const body = new Body(gateway, bytes)
  let taken = Infinity
  backend.script = async exchange => {
    taken = await body.stuck()
    await echo(exchange)
  }
  const asked = { method: 'PUT', path: '/api/file', headers: framing(bytes), body: body.pieces() }
  const answer = await ask(gateway.port, asked)
  expect(taken).toBeLessThan(BIG.length)
  return answer.echo.sha256
}

/** The hash of what arrives at the client. */
async function download(gateway: Child, backend: Backend, bytes: Buffer, framing: Framing): Promise<string> {
  const body = new Body(gateway, bytes)
  backend.script = ({ response }) => {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', ...framing(bytes) })
    Readable.from(body.pieces()).pipe(response)
  }
  const { message } = await open(gateway.port, { path: '/api/file' })
  expect(await body.stuck()).toBeLessThan(BIG.length)
  return hashOf(message)
}

async function hashOf(message: IncomingMessage): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of message) hash.update(piece as Buffer)
  return hash.digest('hex')
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
