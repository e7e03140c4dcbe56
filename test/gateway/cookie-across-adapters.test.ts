import { describe, expect, onTestFinished, test } from 'vitest'
import type { Gateway } from '../contract/harness.ts'
import { SECRET } from '../contract/start.ts'
import { startBackends } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { HARNESSES } from '../support/harnesses.ts'

const OLD = 'a-secret-of-before-0123456789abcdef'

describe.each(HARNESSES)('a session that began behind $name', began => {
  /** Gateways on every adapter, before the same backends, in another order each. */
  async function startAll(options: object = {}): Promise<{ first: Gateway; others: readonly Gateway[] }> {
    const backends = (await startBackends('w1', 'w2', 'w3', 'w4')).map(backend => backend.options)
    const order = [began, ...HARNESSES.filter(harness => harness !== began)]
    const [first, ...others] = await Promise.all(
      order.map(async (harness, turn) => {
        const turned = [...backends.slice(turn), ...backends.slice(0, turn)]
        const secrets = turn === 0 ? [OLD] : [OLD, SECRET]
        const gateway = await harness.start({ name: 'shop', backends: turned, secrets, ...options })
        onTestFinished(() => gateway.close())
        return gateway
      }),
    )
    if (first === undefined) throw new Error('no adapter')
    return { first, others }
  }

  test('goes on behind every other, without another cookie, and back', async () => {
    const { first, others } = await startAll()
    for (let session = 0; session < 5; session += 1) {
      const browser = new Browser(first.port)
      const id = await browser.visit()
      for (const gateway of [...others, first]) {
        const there = new Browser(gateway.port)
        for (const [name, value] of browser.cookies) there.cookies.set(name, value)
        const answer = await there.ask()
        expect(answer.echo.id).toBe(id)
        expect(answer.cookies()).toEqual([])
      }
    }
  })

  test('is of no use to a pool of another name', async () => {
    const { first, others } = await startAll()
    const browser = new Browser(first.port)
    await browser.visit()
    for (const harness of HARNESSES) {
      const gateway = await harness.start({
        name: 'other',
        secrets: [OLD],
        backends: first.affinity.pool.backends.map(({ backend: { id, url } }) => ({ id, url: url.href })),
      })
      onTestFinished(() => gateway.close())
      const there = new Browser(gateway.port)
      for (const [name, value] of browser.cookies) there.cookies.set(name, value)
      expect((await there.ask()).cookies('SERVERID')).toHaveLength(1)
    }
    expect(others).toHaveLength(HARNESSES.length - 1)
  })
})
