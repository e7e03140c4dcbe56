import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AffinityOptions } from '@limpet/core'
import fastify, { type FastifyHttpOptions, type FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import { SECRET } from '../contract/start.ts'
import type { Backend } from './backend.ts'

/** An app that is closed when the test ends. */
export function newApp(options: FastifyHttpOptions<Server> = {}): FastifyInstance {
  const app = fastify(options)
  onTestFinished(() => app.close())
  return app
}

/** An app, of whatever version of HTTP. */
interface Startable {
  readonly server: { address(): AddressInfo | string | null }
  listen(options: { readonly port: number; readonly host: string }): Promise<string>
}

/** Starts the app on a free port of 127.0.0.1. */
export async function listen(app: Startable): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

/** The options of a pool of these backends. */
export function poolOf(...backends: readonly Backend[]): AffinityOptions {
  return { secrets: [SECRET], backends: backends.map(({ options }) => options) }
}

/** The same, for a pool beside others: it and its cookie are called `name`. */
export function namedPool(name: string, ...backends: readonly Backend[]): AffinityOptions {
  return { ...poolOf(...backends), name, affinity: [{ cookie: { name } }] }
}
