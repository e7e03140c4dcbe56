import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import { limpet as expressLimpet } from '@limpet/express'
import { limpet as koaLimpet } from '@limpet/koa'
import express from 'express'
import Koa from 'koa'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'

type Rewrite = NonNullable<Parameters<typeof expressLimpet>[0]['pathRewrite']>

const APPS = [
  [
    'express',
    (w1: Backend, pathRewrite: Rewrite) => {
      const handler = expressLimpet({ ...poolOf(w1), pathRewrite })
      onTestFinished(() => handler.close())
      return { app: express().set('env', 'test').use('/api', handler), handler }
    },
  ],
  [
    'koa',
    (w1: Backend, pathRewrite: Rewrite) => {
      const handler = koaLimpet({ ...poolOf(w1), pathRewrite })
      onTestFinished(() => handler.close())
      const app = new Koa().use(handler)
      app.on('error', () => {})
      return { app: app.callback(), handler }
    },
  ],
] as const

describe.each(APPS)('%s', (_, make) => {
  test('rewrites the path that a client has sent, wherever it is mounted', async () => {
    const w1 = await startBackend('w1')
    const port = await serve(make(w1, { '^/api': '' }).app)
    expect((await ask(port, { path: '/api/x?a=1' })).echo.url).toBe('/x?a=1')
    expect((await ask(port, { path: '/api' })).echo.url).toBe('/')
  })

  test.each([
    ['a target that begins with no slash', () => 'http://evil.test/'],
    ['a blank', () => '/a b'],
    ['a line', () => '/a\r\nX-A: 1'],
    ['a fragment', () => '/a#b'],
    ['a number', () => 1 as never],
    ['a promise', async () => Promise.reject(new Error('late'))],
  ])('of %s is 500, and nothing is in flight', async (_what, rewrite) => {
    const w1 = await startBackend('w1')
    const { app, handler } = make(w1, rewrite as Rewrite)
    const answer = await ask(await serve(app), { path: '/api' })
    expect(answer.status).toBe(500)
    expect([w1.seen.length, handler.affinity.pool.inFlight]).toEqual([0, 0])
  })

  test('a function that throws is 500, and nothing is in flight', async () => {
    const w1 = await startBackend('w1')
    const { app, handler } = make(w1, () => {
      throw new Error('a bug of the application')
    })
    expect((await ask(await serve(app), { path: '/api' })).status).toBe(500)
    expect([w1.seen.length, handler.affinity.pool.inFlight]).toEqual([0, 0])
  })
})

test('tools that watch node:http see method, target and address of the backend [B5]', async () => {
  const w1 = await startBackend('w1', undefined, { base: '/base' })
  const handler = expressLimpet(poolOf(w1))
  onTestFinished(() => handler.close())
  const port = await serve(express().use(handler))
  const seen: unknown[] = []
  function note(event: unknown): void {
    const { request } = event as { request: ClientRequest }
    if (request.path.startsWith('/base'))
      seen.push([request.method, request.protocol, request.host, request.path])
  }
  subscribe('http.client.request.created', note)
  onTestFinished(() => void unsubscribe('http.client.request.created', note))
  await ask(port, { method: 'DELETE', path: '/x?a=1' })
  expect(seen).toEqual([['DELETE', 'http:', '127.0.0.1', '/base/x?a=1']])
})

test('a function gets the request of Express', async () => {
  const w1 = await startBackend('w1')
  const handler = expressLimpet({
    ...poolOf(w1),
    pathRewrite: (path, { baseUrl = '', secure }) => `${path.slice(baseUrl.length)}?secure=${secure}`,
  })
  onTestFinished(() => handler.close())
  const port = await serve(express().use('/api', handler))
  expect((await ask(port, { path: '/api/x' })).echo.url).toBe('/x?secure=false')
})
