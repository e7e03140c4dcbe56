/*
 * A gateway with limpet in a process of its own: `node gateway.ts ADAPTER OPTIONS`. It tells its parent where it
 * listens and what is found of its backends' health, and does with its pool what the parent asks for.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { HealthChangedEvent } from '@limpet/core'
import type { GatewayOptions } from '../contract/harness.ts'
import { EXPRESS_5, FASTIFY, KOA } from '../support/harnesses.ts'
import type { Command } from './limpet-gateway.ts'

const HARNESSES = { fastify: FASTIFY, express: EXPRESS_5, koa: KOA }
const [adapter = '', options = ''] = process.argv.slice(2)

subscribe('limpet:health-changed', event => {
  const { backend, healthy } = event as HealthChangedEvent
  process.send?.({ health: { backend, healthy, atMs: Date.now() } })
})

const { affinity, port } = await HARNESSES[adapter as keyof typeof HARNESSES].start(
  JSON.parse(options) as GatewayOptions,
)
const { pool } = affinity

async function obey(command: Command): Promise<unknown> {
  switch (command.what) {
    case 'ready':
      return pool.setState(command.id, 'ready')
    case 'drain':
      return pool.drain(command.id, { deadline: command.deadlineMs }).drained
    case 'add':
      return void pool.add(command.backend)
    case 'remove':
      return pool.remove(command.id)
    case 'healthy':
      return pool.backends.flatMap(view => (view.healthy ? view.backend.id : []))
  }
}

process.on('message', (message: { readonly number: number; readonly command: Command }) => {
  const { number, command } = message
  obey(command).then(
    result => process.send?.({ number, result }),
    (error: unknown) => process.send?.({ number, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
process.send?.({ port })
