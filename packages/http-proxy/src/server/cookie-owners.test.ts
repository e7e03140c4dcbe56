import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { type Affinity, createAffinity } from '@limpet/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { CookieOwner, cookiesCompared } from './cookie-owners.ts'

const secrets = ['0123456789abcdef0123456789abcdef']

function affinityOf(name: string, cookie = {}, id = 'w1'): Affinity {
  const backends = [{ id, url: 'http://127.0.0.1:1' }]
  return createAffinity({ name, backends, secrets, affinity: [{ cookie }] })
}

function request(server: object, host: string, more: object = {}, socket: object = {}): IncomingMessage {
  const headers = { host, ...more }
  return { socket: { server, ...socket }, headers, rawHeaders: ['Host', host] } as object as IncomingMessage
}

const code = 'ERR_COOKIE_COLLISION'

describe('pools of one server with one cookie', () => {
  it('are refused for the host that the first has had', () => {
    const server = {}
    const [web, api] = [new CookieOwner(affinityOf('web')), new CookieOwner(affinityOf('api'))]
    web.check(request(server, 'a'))
    for (const host of ['a', 'A', 'a'])
      expect(() => api.check(request(server, host))).toThrow(
        expect.objectContaining({ code, statusCode: 500 }),
      )
    web.check(request(server, 'a'))
  })

  it('are told on limpet:refused', () => {
    const events: unknown[] = []
    const listen = (event: unknown): void => void events.push(event)
    subscribe('limpet:refused', listen)
    onTestFinished(() => void unsubscribe('limpet:refused', listen))
    const server = {}
    new CookieOwner(affinityOf('web')).check(request(server, 'a'))
    const api = new CookieOwner(affinityOf('api'))
    expect(() => api.check(request(server, 'a'))).toThrow('pool api writes a cookie that pool web writes')
    expect(events).toEqual([{ pool: 'api', code, statusCode: 500 }])
  })

  it.each<readonly [string, (server: object) => void]>([
    ['have other hosts', server => new CookieOwner(affinityOf('api')).check(request(server, 'b'))],
    ['have other servers', () => new CookieOwner(affinityOf('api')).check(request({}, 'a'))],
    [
      'have other names',
      server => new CookieOwner(affinityOf('api', { name: 'B' })).check(request(server, 'a')),
    ],
    ['are one pool', server => new CookieOwner(affinityOf('web')).check(request(server, 'a'))],
    [
      'were compared',
      server => {
        cookiesCompared(server)
        new CookieOwner(affinityOf('api')).check(request(server, 'a'))
      },
    ],
  ])('are taken where they %s', (_why, check) => {
    const server = {}
    new CookieOwner(affinityOf('web')).check(request(server, 'a'))
    check(server)
  })

  it('are two pools where they share a name and no backend', () => {
    const server = {}
    new CookieOwner(affinityOf('default')).check(request(server, 'a'))
    const other = new CookieOwner(affinityOf('default', {}, 'w2'))
    expect(() => other.check(request(server, 'a'))).toThrow(expect.objectContaining({ code }))
  })

  it.each<readonly [string, (forged: boolean) => readonly [host: string, headers: object, socket: object]]>([
    ['the TLS name', isForged => ['b', {}, { servername: isForged ? 'a' : 'b' }]],
    ['X-Forwarded-Host', isForged => ['b', { 'x-forwarded-host': isForged ? 'a' : 'b' }, {}]],
    ['Forwarded', isForged => ['b', { forwarded: isForged ? 'host=a' : 'host=b' }, {}]],
    ['the address', isForged => ['b', {}, { localAddress: isForged ? '10.0.0.1' : '10.0.0.2' }]],
  ])('cannot be blocked by a forged Host where the application chooses by %s', (_, siteOf) => {
    const server = {}
    const [web, api] = [new CookieOwner(affinityOf('web')), new CookieOwner(affinityOf('api'))]
    web.check(request(server, ...siteOf(true)))
    api.check(request(server, ...siteOf(false)))
    const other = new CookieOwner(affinityOf('other'))
    expect(() => other.check(request(server, ...siteOf(false)))).toThrow(expect.objectContaining({ code }))
  })

  it('are refused where the client’s Host is the same, whatever the application has made of it', () => {
    const server = {}
    const [web, api] = [new CookieOwner(affinityOf('web')), new CookieOwner(affinityOf('api'))]
    web.check(request(server, 'a', { host: 'w1.internal' }))
    expect(() => api.check(request(server, 'a', { host: 'w2.internal' }))).toThrow(
      expect.objectContaining({ code }),
    )
    api.check(request(server, 'b', { host: 'w1.internal' }))
  })

  it.each([
    ['example.com', '.example.com'],
    ['example.com', 'b.example.com'],
    ['b.example.com', 'example.com'],
  ])('are refused on two hosts where their domains are %s and %s [LB213]', (first, second) => {
    const server = {}
    const web = new CookieOwner(affinityOf('web', { domain: first }))
    const api = new CookieOwner(affinityOf('api', { domain: second }))
    web.check(request(server, 'a.example.com'))
    for (let visit = 0; visit < 2; visit += 1)
      expect(() => api.check(request(server, 'b.example.com'))).toThrow(expect.objectContaining({ code }))
    web.check(request(server, 'c.example.com'))
  })

  it.each([
    ['a.example.com', 'b.example.com'],
    ['example.com', undefined],
  ])('are taken on two hosts where their domains are %s and %s', (first, second) => {
    const server = {}
    new CookieOwner(affinityOf('web', { domain: first })).check(request(server, 'a.example.com'))
    new CookieOwner(affinityOf('api', { domain: second })).check(request(server, 'b.example.com'))
  })

  it('are free again when the first is closed', () => {
    const server = {}
    const [web, api] = [new CookieOwner(affinityOf('web')), new CookieOwner(affinityOf('api'))]
    web.check(request(server, 'a'))
    web.close()
    api.check(request(server, 'a'))
  })

  it('are remembered for a bounded number of hosts', () => {
    const server = {}
    const [web, api] = [new CookieOwner(affinityOf('web')), new CookieOwner(affinityOf('api'))]
    for (let host = 0; host < 1_000; host += 1) web.check(request(server, `${host}.test`))
    expect(() => api.check(request(server, '255.test'))).toThrow(expect.objectContaining({ code }))
    api.check(request(server, '999.test'))
  })
})
