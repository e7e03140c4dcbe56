import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { FromWorker } from '../../packages/gateway/dist/sharing/messages.js'
import type { Peer } from '../../packages/gateway/dist/sharing/outbox.js'
import { ParentSessions } from '../../packages/gateway/dist/sharing/parent-sessions.js'
import { distribution, type Measured, medianOf } from './measured.ts'
import type { SharingOrder, SharingReport } from './sharing-worker.ts'

/*
 * Learned sessions that the workers of one gateway share by their parent: this process is the parent, and the workers
 * are processes of their own.
 */

const WORKERS = 4
const SESSIONS = 1_000_000
/** The memory store may drop a few of the last ones when it is full. */
const ALMOST = 0.99
const NEWS = 300
const NEWS_PAUSE_MS = 10
const SPEED_ROUNDS = 31

/** A worker, and the parent's end of its channel. */
class Worker implements Peer {
  readonly process: ChildProcess

  constructor(parent: ParentSessions) {
    this.process = fork(new URL('sharing-worker.ts', import.meta.url), { execArgv: ['--expose-gc'] })
    this.process.setMaxListeners(0).on('message', (message: FromWorker | SharingReport) => {
      if (!('report' in message)) parent.receive(this, message)
    })
  }

  send(...[message, written]: Parameters<Peer['send']>): void {
    this.process.send(message, () => written?.())
  }

  /** Resolves with the worker's reply. */
  async ask(order: SharingOrder): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>()
    const note = (message: FromWorker | SharingReport): void => {
      if ('report' in message && message.report === order.order) resolve(message.value)
    }
    this.process.on('message', note)
    this.process.send(order)
    try {
      return await promise
    } finally {
      this.process.off('message', note)
    }
  }

  async stop(): Promise<void> {
    const ended = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await ended
  }
}

export async function benchSharing(): Promise<Measured[]> {
  const parent = new ParentSessions()
  const start = (): Worker => new Worker(parent)
  const workers = Array.from({ length: WORKERS }, start)
  try {
    const before = await Promise.all(workers.map(async worker => worker.ask({ order: 'bytes' })))
    await Promise.all(workers.map(async worker => worker.ask({ order: 'open', sessions: SESSIONS })))
    const [first, ...others] = workers
    if (first === undefined) return []
    const newsMs: number[] = []
    for (let number = 0; number < NEWS; number += 1) {
      const backend = `news-${number}`
      const known = others.map(async worker => worker.ask({ order: 'await', backend }))
      const setMs = await first.ask({ order: 'set', backend })
      newsMs.push(Math.max(...(await Promise.all(known))) - setMs)
      await delay(NEWS_PAUSE_MS)
    }
    const speeds: number[] = []
    while (speeds.length < SPEED_ROUNDS) speeds.push(await first.ask({ order: 'speed' }))
    await first.ask({ order: 'fill', sessions: SESSIONS })
    await Promise.all(workers.map(async worker => worker.ask({ order: 'all', sessions: SESSIONS * ALMOST })))
    const after = await Promise.all(workers.map(async worker => worker.ask({ order: 'bytes' })))
    const bytes = after.map((value, index) => value - (before[index] ?? Number.NaN))
    const late = start()
    workers.push(late)
    const empty = await late.ask({ order: 'bytes' })
    const loadedMs = await late.ask({ order: 'open', sessions: SESSIONS })
    bytes.push((await late.ask({ order: 'bytes' })) - empty)
    newsMs.sort((a, b) => a - b)
    console.log(`news of a session: ${distribution(newsMs)} ms`)
    return [
      medianOf('shared sessions, a new one is known to the other workers', newsMs, 20, 'ms'),
      medianOf('shared sessions, look-up of a known one, more than in memory', speeds, 300, 'ns'),
      medianOf(`shared sessions, ${SESSIONS} of them, bytes of one in a worker`, bytes.map(perSession), 80),
      { what: `shared sessions, a worker starts with ${SESSIONS}`, value: loadedMs, most: 2_000, unit: 'ms' },
    ]
  } finally {
    await Promise.all(workers.map(async worker => worker.stop()))
  }
}

function perSession(bytes: number): number {
  return bytes / SESSIONS
}
