import type { CookiePolicyOptions } from '@limpet/core'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { valuesOf } from '../support/header-lines.ts'
import type { Asked } from '../support/http-client.ts'
import { echoWith } from '../support/scripts.ts'
import type { Start } from './start.ts'

/** No shared cache keeps an answer with one session's cookie. */
export function cacheControl(start: Start): void {
  /** The lines of Cache-Control that a first and a second visit get. */
  async function visits(
    headers: Record<string, string | string[]>,
    asked: Asked = {},
    cookie: CookiePolicyOptions = {},
  ) {
    const gateway = await start([await startBackend('w1', echoWith(200, headers))], {
      affinity: [{ cookie }],
    })
    const browser = gateway.browser()
    const [first, second] = [await browser.ask(asked), await browser.ask(asked)]
    expect(first.cookies('SERVERID')).toHaveLength(1)
    expect(second.cookies()).toEqual([])
    return {
      first: valuesOf(first.lines, 'cache-control'),
      second: valuesOf(second.lines, 'cache-control'),
    }
  }

  describe('Cache-Control', () => {
    test('a response that any cache may store becomes private when it sets our cookie [LB029, T-16, D-22]', async () => {
      const { first } = await visits({ 'Cache-Control': 'public, max-age=60, s-maxage=600', ETag: '"1"' })
      expect(first).toEqual(['private, max-age=60'])
    })

    test('an answer that may be stored by default becomes private [LB029, T-16]', async () => {
      expect((await visits({ ETag: '"1"' })).first).toEqual(['private'])
    })

    test('several lines become one [T-16]', async () => {
      const { first } = await visits({ 'Cache-Control': ['public', 'max-age=60'] })
      expect(first).toEqual(['private, max-age=60'])
    })

    test('a response that no cache may store is left alone [LB030]', async () => {
      expect((await visits({ 'Cache-Control': 'no-store', ETag: '"1"' })).first).toEqual(['no-store'])
      expect((await visits({ 'Cache-Control': 'private, max-age=5' })).first).toEqual(['private, max-age=5'])
    })

    test('a response that no cache would store is left alone [LB031]', async () => {
      expect((await visits({})).first).toEqual([])
    })

    test('a returning visitor gets what the application said [LB032]', async () => {
      const said = 'public, max-age=60, s-maxage=600'
      expect((await visits({ 'Cache-Control': said, ETag: '"1"' })).second).toEqual([said])
    })

    test('the answer to a POST is left alone [LB033]', async () => {
      const { first } = await visits({ 'Cache-Control': 'public, max-age=60' }, { method: 'POST', body: 'x' })
      expect(first).toEqual(['public, max-age=60'])
    })

    test('it is left alone without noCache', async () => {
      const { first } = await visits({ 'Cache-Control': 'public, max-age=60' }, {}, { noCache: false })
      expect(first).toEqual(['public, max-age=60'])
    })
  })
}
