import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import type { BackendOptions } from '@limpet/core'
import { onTestFinished } from 'vitest'

/*
 * A port that neither accepts nor refuses, as a host behind a firewall that drops packets: a listening socket whose
 * queue is full. Its owner is a thread that sleeps for good, so no connection is taken out of the queue.
 */
const SLEEPER = `
const { parentPort } = require('node:worker_threads')
const server = require('node:net').createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
})`

/** A backend to which connections never open and never fail. */
export async function startBlackHole(id: string): Promise<BackendOptions> {
  const sleeper = new Worker(SLEEPER, { eval: true })
  onTestFinished(async () => void (await sleeper.terminate()))
  const [port] = (await once(sleeper, 'message')) as [number]
  const fillers: Socket[] = []
  onTestFinished(() => fillers.forEach(filler => filler.destroy()))
  while (await isAccepted(port, fillers)) {
    if (fillers.length > 100) throw new Error('the queue of the black hole does not fill')
  }
  return { id, url: `http://127.0.0.1:${port}` }
}

/** Puts one more connection into the queue. A queue with room takes one at once: there is no wire in between. */
async function isAccepted(port: number, fillers: Socket[]): Promise<boolean> {
  const filler = connect(port, '127.0.0.1')
  filler.on('error', () => {})
  fillers.push(filler)
  return once(filler, 'connect', { signal: AbortSignal.timeout(150) }).then(
    () => true,
    () => false,
  )
}
