import { expect, onTestFinished, test } from 'vitest'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { limpet } from '../support/limpet-command.ts'
import { BackendProcess, type ShopAnswer } from '../support/shop-process.ts'

/** A new release of the shops, one after the other, by `limpet drain --wait` and `limpet ready` alone. */

const CUSTOMERS = 4
const ITEMS = 5
/** Far longer than a customer thinks, on the slowest machine. */
const MAX_IDLE = '4s'

async function startShops(...ids: readonly string[]): Promise<readonly BackendProcess[]> {
  const shops = ids.map(id => new BackendProcess(id))
  onTestFinished(async () => void (await Promise.all(shops.map(async shop => shop.kill()))))
  await Promise.all(shops.map(async shop => shop.listening))
  return shops
}

/** Fills a cart, looks at it, and leaves. The problem that the customer had, if there was one. */
async function shopping(gateway: GatewayProcess): Promise<string | undefined> {
  const browser = gateway.browser()
  for (let item = 1; item <= ITEMS; item += 1) {
    const { status, text } = await browser.ask({ method: 'POST', path: '/cart' })
    if (status !== 200) return `status ${status}`
    const { id, items } = JSON.parse(text) as ShopAnswer
    if (items !== item) return `${items} of ${item} items at ${id}`
  }
  return undefined
}

test('a rolling deploy has no error, and no customer loses a cart', async () => {
  const shops = await startShops('s1', 's2')
  const gateway = await GatewayProcess.start(
    fileOf(shops, {}, { affinity: [{ cookie: { maxIdle: MAX_IDLE } }] }),
  )
  const admin = ['--admin', `http://127.0.0.1:${gateway.adminPort}`]
  const problems: string[] = []
  let served = 0
  const closing = new AbortController()
  async function customers(): Promise<void> {
    while (!closing.signal.aborted) {
      const problem = await shopping(gateway)
      if (problem === undefined) served += 1
      else problems.push(problem)
    }
  }
  const all = Array.from({ length: CUSTOMERS }, customers)
  for (const shop of shops) {
    const { id } = shop
    const drained = await limpet(['drain', `web/${id}`, '--wait', '--deadline', '5m', ...admin])
    expect(drained).toMatchObject({ code: 0, error: '' })
    await shop.restart()
    expect(await limpet(['ready', `web/${id}`, ...admin])).toMatchObject({ code: 0 })
    const before = served
    await expect.poll(() => served, { timeout: 20_000 }).toBeGreaterThan(before + CUSTOMERS)
  }
  closing.abort()
  await Promise.all(all)
  expect(problems).toEqual([])
}, 90_000)
