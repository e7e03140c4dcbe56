import { statsPage, type StatsPage } from '@limpet/stats'
import express from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import { bodyParser } from '@koa/bodyparser'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ask } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'
import { Operator, poolOf, visit } from '../support/operator.ts'

/** The stats page in each server and framework that can mount it. */

async function fastifyPort(page: StatsPage): Promise<number> {
  const app = Fastify()
  await app.register(page.fastify, { prefix: '/limpet' })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(async () => app.close())
  return Number(new URL(url).port)
}

const SERVERS: readonly [name: string, start: (page: StatsPage) => Promise<number>][] = [
  ['node:http', async page => serve((request, response) => page(request, response))],
  ['Express', async page => serve(express().use('/limpet', page))],
  [
    'Express with a body parser',
    async page =>
      serve(
        express()
          .use(express.urlencoded({ extended: true }))
          .use('/limpet', page),
      ),
  ],
  ['Fastify', fastifyPort],
  ['Koa', async page => serve(new Koa().use(page.koa).callback())],
  ['Koa with a body parser', async page => serve(new Koa().use(bodyParser()).use(page.koa).callback())],
]

describe.each(SERVERS)('the stats page in %s', (_name, start) => {
  test('shows the pool, and drains a backend through its form', async () => {
    const affinity = poolOf(2)
    await visit(affinity)
    const port = await start(statsPage(affinity))
    const operator = new Operator(port, '/limpet')
    for (const path of ['/limpet', '/limpet/']) {
      const list = await ask(port, { path })
      expect([list.status, list.header('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
      expect(list.text).toContain('http://10.0.0.1:8080')
    }
    const done = await operator.change('drain', 'w1', '5m')
    expect([done.status, done.header('location')]).toEqual([303, '?#b-web-w1'])
    const { state, drain } = affinity.stats().backends[0] ?? {}
    expect(state).toBe('drain')
    expect((drain?.deadlineAtMs ?? 0) - (drain?.startedAtMs ?? 0)).toBe(300_000)
    expect((await operator.get()).text).toContain('ends in 5 min at most')
    const refused = await operator.post({ do: 'ready', pool: 'web', backend: 'w1', token: 'x' })
    expect(refused.status).toBe(403)
  })
})
