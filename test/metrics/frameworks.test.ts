import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAffinity } from '@limpet/core'
import { metrics, observe } from '@limpet/metrics'
import express from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import { expect, onTestFinished, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { ask } from '../support/http-client.ts'
import { startMeter } from '../support/meter-reader.ts'
import { samplesOf } from './samples.ts'

const affinity = createAffinity({
  backends: Array.from({ length: 300 }, (_, index) => ({ id: `w${index}`, url: `http://w${index}.test` })),
  secrets: ['a-secret-of-the-tests-0123456789abcdef'],
})
const exposed = metrics(affinity)

async function served(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  onTestFinished(() => void server.close())
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}

const APPS: Readonly<Record<string, () => Promise<RequestListener>>> = {
  'node:http': async () => exposed.handler,
  express: async () => express().get('/metrics', exposed.handler),
  async fastify() {
    const app = Fastify()
    app.get('/metrics', (request, reply) => {
      const { contentType, text } = exposed.expose(request)
      return reply.type(contentType).send(text)
    })
    await app.ready()
    return (request, response) => void app.server.emit('request', request, response)
  },
  async koa() {
    const app = new Koa()
    app.use(ctx => {
      const { contentType, text } = exposed.expose(ctx)
      ctx.type = contentType
      ctx.body = text
    })
    const listener = app.callback()
    return (request, response) => void listener(request, response)
  },
}

test.each(Object.keys(APPS))('%s serves the metrics of 300 backends', async name => {
  const port = await served((await APPS[name]?.()) ?? (() => undefined))
  const scraped = await ask(port, { path: '/metrics?names=haproxy', headers: { Accept: 'text/plain' } })
  expect(scraped.header('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const value = samplesOf(scraped.text)
  expect(value('haproxy_server_weight', { proxy: 'default', server: 'w299' })).toBe(1)
})

test('the handler refuses unknown names with 400', async () => {
  const refused = await ask(await served(exposed.handler), { path: '/metrics?names=x' })
  expect([refused.status, refused.header('content-type')]).toEqual([400, 'text/plain; charset=utf-8'])
})

test('the admin port serves the sum of all workers', async () => {
  const gateway = await GatewayProcess.start(fileOf(await startBackends('w1', 'w2'), { workers: 2 }))
  for (let count = 0; count < 6; count += 1) await gateway.browser().visit()
  const scraped = await gateway.admin('GET', '/metrics')
  expect(scraped.status).toBe(200)
  const value = samplesOf(scraped.text)
  const counts = ['w1', 'w2'].map(backend =>
    value('limpet_requests_total', { pool: 'web', backend, code: '2xx' }),
  )
  expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(6)
  expect(value('limpet_request_duration_seconds_count', { pool: 'web' })).toBe(6)
  expect((await gateway.admin('GET', '/metrics?names=x')).status).toBe(400)
  expect((await gateway.admin('POST', '/metrics', {})).status).toBe(405)
})

test('OpenTelemetry collects the same figures, until they are observed no longer', async () => {
  const { meter, points } = startMeter()
  const end = observe(affinity, meter)
  expect(await points('limpet.backend.weight')).toHaveLength(300)
  expect((await points('limpet.sessions.moved'))[0]).toMatchObject({
    value: 0,
    attributes: { 'limpet.pool': 'default', 'limpet.backend': 'w0', 'limpet.reason': 'failed' },
  })
  affinity.pool.setWeight('w0', 7)
  expect((await points('limpet.backend.weight'))[0]).toMatchObject({ value: 7 })
  end()
  affinity.pool.setWeight('w0', 9)
  expect((await points('limpet.backend.weight'))[0]).not.toMatchObject({ value: 9 })
})
