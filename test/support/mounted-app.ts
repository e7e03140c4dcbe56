import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Affinity, createAffinity, isAffinityError } from '@limpet/core'
import { limpet as expressLimpet } from '@limpet/express'
import {
  createHttpProxy,
  guardServer,
  type HttpProxyOptions,
  type NodeProxyOptions,
  SERVER_OPTIONS,
  type UpgradeListener,
  writeError,
} from '@limpet/http-proxy'
import { limpet as koaLimpet } from '@limpet/koa'
import express, { type ErrorRequestHandler } from 'express'
import Koa from 'koa'
import { onTestFinished } from 'vitest'
import type { Backend } from './backend.ts'
import { poolOf } from './fastify-app.ts'

/** A gateway on a real server, and the errors that its application got. */
export interface MountedApp {
  readonly port: number
  readonly affinity: Affinity
  readonly errors: readonly unknown[]
}

export type MountOptions = Partial<HttpProxyOptions> & NodeProxyOptions

/** Starts an application before these backends, until the test ends. */
export type StartMounted = (backends: readonly Backend[], options: MountOptions) => Promise<MountedApp>

interface Mounted {
  readonly affinity: Affinity
  readonly upgrade: UpgradeListener
  readonly close: () => void
}

/** The adapters that forward with http-proxy-middleware, each in a bare application. */
export const MOUNTED: readonly (readonly [name: string, start: StartMounted])[] = [
  [
    'express',
    (backends, options) => {
      const errors: unknown[] = []
      const handler = expressLimpet(optionsOf(backends, options))
      const note: ErrorRequestHandler = (error, _request, _response, next) => {
        errors.push(error)
        next(error)
      }
      return listening(handler, express().set('env', 'test').use(handler, note), errors)
    },
  ],
  [
    'koa',
    (backends, options) => {
      const errors: unknown[] = []
      const middleware = koaLimpet(optionsOf(backends, options))
      const app = new Koa().use(middleware)
      app.on('error', error => errors.push(error))
      const listener = app.callback()
      return listening(middleware, (request, response) => void listener(request, response), errors)
    },
  ],
  [
    'node:http',
    (backends, options) => {
      const errors: unknown[] = []
      const proxy = createHttpProxy(optionsOf(backends, options))
      const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
        try {
          await proxy.take(request, response)?.respond()
        } catch (error) {
          errors.push(error)
          if (isAffinityError(error)) writeError(response, error)
          else if (!response.headersSent) response.writeHead(500).end()
        }
      }
      return listening(proxy, (request, response) => void serve(request, response), errors)
    },
  ],
]

function optionsOf(backends: readonly Backend[], options: MountOptions) {
  return { use: createAffinity(poolOf(...backends)), logger: false, ...options } as const
}

async function listening(
  mounted: Mounted,
  listener: RequestListener,
  errors: unknown[],
): Promise<MountedApp> {
  const server = guardServer(createServer(SERVER_OPTIONS, listener)).on('upgrade', mounted.upgrade)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    mounted.close()
    server.closeAllConnections()
    await new Promise(resolve => {
      server.close(resolve)
    })
  })
  return { port: (server.address() as AddressInfo).port, affinity: mounted.affinity, errors }
}
