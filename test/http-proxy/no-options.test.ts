import { limpet as expressLimpet } from '@limpet/express'
import { limpet as fastifyLimpet } from '@limpet/fastify'
import { createHttpProxy } from '@limpet/http-proxy'
import { limpet as koaLimpet } from '@limpet/koa'
import { describe, expect, test } from 'vitest'
import { newApp } from '../support/fastify-app.ts'

/** Arguments that JavaScript lets a caller omit. */

const NONE = [
  [undefined, 'undefined'],
  [null, 'null'],
  ['http://127.0.0.1:3001', 'a text of 21 characters'],
  [[], 'a list of 0'],
] as const

function refusal(shown: string): unknown {
  const message = expect.stringContaining(`the options got ${shown}; it takes an object with `) as unknown
  return expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: '', message })
}

describe.each([
  ['createHttpProxy', createHttpProxy],
  ['limpet for Express', expressLimpet],
  ['limpet for Koa', koaLimpet],
] as const)('%s', (_, factory) => {
  test.each(NONE)('takes no %o for options', (options, shown) => {
    expect(() => factory(options as never)).toThrow(refusal(shown))
  })
})

describe('limpet for Fastify', () => {
  test.each(NONE)('takes no %o for options', async (options, shown) => {
    await expect(fastifyLimpet(newApp(), options as never)).rejects.toEqual(refusal(shown))
  })

  test('has none when it is registered without: a pool has backends', async () => {
    const app = newApp()
    app.register(fastifyLimpet, {} as never)
    await expect(app.ready()).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'backends' })
  })
})
