import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { AffinityPolicy, Claim } from '@limpet/core'
import { limpet } from '@limpet/express'
import { guardServer, SERVER_OPTIONS, type UpgradeListener } from '@limpet/http-proxy'
import express, { type Express } from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SECRET } from '../contract/start.ts'
import { startBackend } from '../support/backend.ts'
import { openRaw } from '../support/raw-client.ts'

/** Several listeners for the upgrades of one server, and requests that are no one's. */

const HANDSHAKE = [
  'Host: a',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
].join('\r\n')

/** Middleware for paths under `/name`, without a backend: its requests get 503. */
function pool(name: string) {
  const affinity = [{ cookie: { name } }]
  const filter = ({ url = '' }: IncomingMessage) => url.startsWith(`/${name}`)
  return limpet({ name, secrets: [SECRET], backends: [], affinity, filter })
}

async function serve(app: Express, ...listeners: readonly UpgradeListener[]): Promise<number> {
  const server = guardServer(createServer(SERVER_OPTIONS, app))
  for (const listener of listeners) server.on('upgrade', listener)
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** The status lines that a handshake is answered with, to the end of the connection. */
async function answers(port: number, path: string): Promise<readonly string[]> {
  const client = await openRaw(port)
  client.write(`GET ${path} HTTP/1.1\r\n${HANDSHAKE}\r\n\r\n`)
  await client.until(() => client.closed, 3_000)
  return client.received.match(/^HTTP\/1\.1 \d+/gm) ?? []
}

describe('with two pools', () => {
  test('each has its own handshakes, and those of neither are the app’s, once', async () => {
    const [one, two] = [pool('one'), pool('two')]
    const app = express()
      .use(one, two)
      .get('/own', (_request, response) => void response.send('own'))
    const port = await serve(app, one.upgrade, two.upgrade)
    expect(await answers(port, '/one')).toEqual(['HTTP/1.1 503'])
    expect(await answers(port, '/two')).toEqual(['HTTP/1.1 503'])
    expect(await answers(port, '/own')).toEqual(['HTTP/1.1 200'])
    expect(await answers(port, '/none')).toEqual(['HTTP/1.1 404'])
  })

  test('what another listener may take is left to it, wherever that stands', async () => {
    const [one, two] = [pool('one'), pool('two')]
    const other: UpgradeListener = ({ url }, socket) => {
      if (url === '/other') socket.end('HTTP/1.1 418 I am another\r\n\r\n')
    }
    for (const listeners of [
      [one.upgrade, other, two.upgrade],
      [one.upgrade, two.upgrade, other],
    ]) {
      const port = await serve(express().use(one, two), ...listeners)
      expect(await answers(port, '/other')).toEqual(['HTTP/1.1 418'])
      expect(await answers(port, '/two')).toEqual(['HTTP/1.1 503'])
    }
  })
})

test('a filter that throws for a handshake is the app’s error, and ends no connection', async () => {
  const filter = ({ url = '' }: IncomingMessage) => new URL(url, 'http://a').pathname.startsWith('/one')
  const one = limpet({ secrets: [SECRET], backends: [], filter })
  const port = await serve(express().use(one), one.upgrade)
  expect(await answers(port, '//')).toEqual(['HTTP/1.1 500'])
  expect(await answers(port, '/one')).toEqual(['HTTP/1.1 503'])
})

describe('once closed', () => {
  test('a handshake is told so, though a backend is there, and so is one that waits for its policy', async () => {
    const w1 = await startBackend('w1')
    const { promise, resolve } = Promise.withResolvers<Claim>()
    const asked = Promise.withResolvers<void>()
    const policy: AffinityPolicy = {
      read() {
        asked.resolve()
        return promise
      },
    }
    const handler = limpet({ backends: [w1.options], affinity: [policy] })
    const port = await serve(express(), handler.upgrade)
    const waiting = answers(port, '/')
    await asked.promise
    handler.close()
    // Whatever becomes of the policy.
    expect(await waiting).toEqual(['HTTP/1.1 503'])
    resolve({ kind: 'none' })
    expect(await answers(port, '/')).toEqual(['HTTP/1.1 503'])
    expect(w1.connections).toBe(0)
    expect(handler.affinity.pool.backends[0]?.inFlight).toBe(0)
  })
})

test('a handshake that no listener takes, and its client resets, ends no process', async () => {
  const one = pool('one')
  const { promise, resolve } = Promise.withResolvers<Duplex>()
  const port = await serve(express().use(one), one.upgrade, (_request, socket) => resolve(socket))
  const client = await openRaw(port)
  client.write(`GET /other HTTP/1.1\r\n${HANDSHAKE}\r\n\r\n`)
  const socket = await promise
  const closed = new Promise<void>(close => {
    socket.once('close', close)
  })
  client.socket.resetAndDestroy()
  await closed
  expect(socket.listenerCount('error')).toBe(1)
})
