import { describe, expect, test } from 'vitest'
import { upgradeClients } from '../support/upgrade-clients.ts'
import { checkGateway } from './gateway-checks.ts'
import { startProgram } from './started-program.ts'

describe.each([
  ['Express', 'nest/express.js'],
  ['Fastify', 'nest/fastify.js'],
])('an application on Nest 11 and %s', (_name, file) => {
  const program = startProgram(file)
  const clients = upgradeClients()
  checkGateway(program, {
    message: '{"event":"say","data":"hello"}',
    reply: '{"event":"said","data":"live: hello"}',
  })

  test('serves its own controllers', async () => {
    expect((await program.ask({ path: '/own/hello' })).text).toBe('hello from the application')
    expect((await program.ask({ path: '/unknown' })).status).toBe(404)
  })

  test('has the headers of enableCors() on responses of backends', async () => {
    const response = await program.ask({ path: '/shop', headers: { Origin: 'https://shop.example' } })
    expect(response.header('access-control-allow-origin')).toBe('https://shop.example')
  })

  test('answers a preflight request by itself', async () => {
    const headers = { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'PUT' }
    const before = program.backends.flatMap(({ seen }) => seen).length
    const response = await program.ask({ method: 'OPTIONS', path: '/shop', headers })
    expect([response.status, response.header('access-control-allow-origin')]).toEqual([
      204,
      'https://shop.example',
    ])
    expect(program.backends.flatMap(({ seen }) => seen).length).toBe(before)
  })

  test('keeps both kinds of WebSockets open beside each other', async () => {
    const live = await clients.web(program.port, { path: '/live' })
    const shop = await clients.web(program.port, { path: '/shop/chat' })
    for (let times = 0; times < 3; times += 1) {
      expect((await shop.ask('hello')).toString()).toBe('hello')
      expect((await live.ask('{"event":"say","data":"a"}')).toString()).toBe(
        '{"event":"said","data":"live: a"}',
      )
    }
  })
})
