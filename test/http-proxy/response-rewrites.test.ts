import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { valuesOf } from '../support/header-lines.ts'
import { ask } from '../support/http-client.ts'
import { MOUNTED, type MountOptions } from '../support/mounted-app.ts'
import { bare, echoWith } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { upgradeClients } from '../support/upgrade-clients.ts'
import { acceptWith } from '../support/upgrade-scripts.ts'

const { raw } = upgradeClients()

const COOKIES = ['a=1; Domain=old.example; Path=/old/', 'b=2; path=/keep; domain=keep.example', 'c=3']

describe.each(MOUNTED)('%s', (_, start) => {
  test.each<[MountOptions, readonly string[]]>([
    [{}, COOKIES],
    [{ cookieDomainRewrite: false, cookiePathRewrite: false }, COOKIES],
    [
      { cookieDomainRewrite: 'new.example', cookiePathRewrite: '/' },
      ['a=1; Domain=new.example; Path=/', 'b=2; path=/; domain=new.example', 'c=3'],
    ],
    [{ cookieDomainRewrite: '' }, ['a=1; Path=/old/', 'b=2; path=/keep', 'c=3']],
    [
      {
        cookieDomainRewrite: { 'keep.example': 'keep.example', '*': '' },
        cookiePathRewrite: { '/old/': '/new/' },
      },
      ['a=1; Path=/new/', 'b=2; path=/keep; domain=keep.example', 'c=3'],
    ],
  ])('%j makes the cookies of backends, and leaves that of limpet', async (options, expected) => {
    const w1 = await startTunnelBackend(
      'w1',
      acceptWith({ extra: COOKIES.map(line => `Set-Cookie: ${line}`) }),
    )
    w1.script = echoWith(200, { 'Set-Cookie': COOKIES })
    const { port } = await start([w1], options)
    const { lines } = await (await raw(port)).responded()
    for (const each of [(await ask(port)).lines, lines]) {
      const cookies = valuesOf(each, 'set-cookie')
      expect(cookies.slice(0, -1)).toEqual(expected)
      expect(cookies.at(-1)).toMatch(/^SERVERID=.*; Path=\/;/)
    }
  })

  test.each<[MountOptions, number, string, string]>([
    [{}, 302, 'http://BACKEND/x', 'http://BACKEND/x'],
    [{ autoRewrite: true }, 302, 'http://BACKEND/x?y=1#z', 'http://shop.example/x?y=1#z'],
    [{ autoRewrite: true }, 201, '//BACKEND/x', '//shop.example/x'],
    [{ autoRewrite: true }, 200, 'http://BACKEND/x', 'http://BACKEND/x'],
    [{ autoRewrite: true }, 302, 'http://other.example/x', 'http://other.example/x'],
    [{ autoRewrite: true }, 302, '/x', '/x'],
    [{ autoRewrite: true }, 302, 'http://[', 'http://['],
    [
      { hostRewrite: 'www.example:8443', autoRewrite: true },
      308,
      'http://BACKEND/',
      'http://www.example:8443/',
    ],
    [{ protocolRewrite: 'https' }, 301, 'http://shop.example/x', 'https://shop.example/x'],
    [{ protocolRewrite: 'https', autoRewrite: true }, 307, '//BACKEND/', 'https://shop.example/'],
  ])('%j makes of %i with Location %s: %s', async (options, status, location, expected) => {
    const w1 = await startBackend('w1')
    const at = (text: string): string => text.replace('BACKEND', `127.0.0.1:${w1.port}`)
    w1.script = bare(status, { Location: at(location), 'Content-Length': 0 })
    const { port } = await start([w1], options)
    const answer = await ask(port, { headers: { Host: 'shop.example' } })
    expect([answer.status, answer.header('location')]).toEqual([status, at(expected)])
  })

  test.each<[string, object]>([
    ['cookieDomainRewrite', { cookieDomainRewrite: 'a; b' }],
    ['cookieDomainRewrite', { cookieDomainRewrite: true }],
    ['cookiePathRewrite./', { cookiePathRewrite: { '/': 'a\r\nb' } }],
    ['cookiePathRewrite.*', { cookiePathRewrite: { '*': 1 } }],
    ['hostRewrite', { hostRewrite: 'http://a' }],
    ['autoRewrite', { autoRewrite: 'yes' }],
    ['protocolRewrite', { protocolRewrite: 'ftp' }],
    ['headers.X-A', { headers: { 'X-A': 'a\r\nb' } }],
    ['headers.Connection', { headers: { Connection: 'close' } }],
    ['rewriteHeaders', { rewriteHeaders: 'text' }],
    ['rewriteRequestHeaders', { rewriteRequestHeaders: {} }],
    ['responseHeaders.set.X-A', { responseHeaders: { set: { 'X-A': '\0' } } }],
    ['on.proxyReq', { on: { proxyReq: 'text' } }],
    ['on.start', { on: { start() {} } }],
    ['on.proxyreq', { on: { proxyreq() {} } }],
    ['selfHandleResponse', { selfHandleResponse: true }],
  ])('%s of %j is refused', async (option, options) => {
    await expect((async () => start([], options as MountOptions))()).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option,
    })
  })
})
