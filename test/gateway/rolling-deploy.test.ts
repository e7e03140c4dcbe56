import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { startChromium } from '../support/chromium.ts'
import { Customers } from '../support/customers.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { limpet } from '../support/limpet-command.ts'
import { BackendProcess } from '../support/shop-process.ts'

/** A new release of the shops, one after the other, while customers fill their carts. */

/** Far longer than a customer thinks, on the slowest machine. */
const MAX_IDLE = '4s'

async function startShops(...ids: readonly string[]): Promise<readonly BackendProcess[]> {
  const shops = ids.map(id => new BackendProcess(id))
  onTestFinished(async () => void (await Promise.all(shops.map(async shop => shop.kill()))))
  await Promise.all(shops.map(async shop => shop.listening))
  return shops
}

async function startGateway(shops: readonly object[]): Promise<GatewayProcess> {
  return GatewayProcess.start(
    fileOf([], {}, { backends: shops, affinity: [{ cookie: { maxIdle: MAX_IDLE } }] }),
  )
}

test('a rolling deploy by commands has no error, and no customer loses a cart', async () => {
  const shops = await startShops('s1', 's2')
  const gateway = await startGateway(shops.map(({ options }) => options))
  const admin = ['--admin', `http://127.0.0.1:${gateway.adminPort}`]
  const customers = new Customers(gateway)
  for (const shop of shops) {
    const { id } = shop
    const drained = await limpet(['drain', `web/${id}`, '--wait', '--deadline', '5m', ...admin])
    expect(drained).toMatchObject({ code: 0, error: '' })
    await shop.restart()
    expect(await limpet(['ready', `web/${id}`, ...admin])).toMatchObject({ code: 0 })
    await customers.goOn()
  }
  await customers.stop()
  expect(customers.problems).toEqual([])
}, 90_000)

/** Opens the stats page in a browser. */
async function openPage(port: number): Promise<Page> {
  const chromium = await startChromium()
  onTestFinished(async () => chromium.close())
  const tab = await chromium.newPage()
  await tab.goto(`http://127.0.0.1:${port}/`)
  return tab
}

/** Clicks an action, reads its consequence, and confirms. @param button its text on the confirmation */
async function confirm(tab: Page, action: string, consequence: RegExp, button: string): Promise<void> {
  await tab.getByRole('link', { name: action, exact: true }).click()
  await tab.getByRole('listitem').filter({ hasText: consequence }).waitFor()
  await tab.getByRole('button', { name: button, exact: true }).click()
}

/** Waits for the row of a backend to say this. The page refreshes by itself. */
async function shows(tab: Page, id: string, text: string): Promise<void> {
  await tab.locator(`#b-web-${id}`).getByText(text).first().waitFor({ timeout: 60_000 })
}

test('a rolling deploy by the buttons of the page has no error, and no customer loses a cart', async () => {
  const shops = await startShops('s1', 's2', 's3')
  const [s1, s2, s3] = shops as [BackendProcess, BackendProcess, BackendProcess]
  const gateway = await startGateway([s1.options, s2.options, { ...s3.options, backup: true }])
  const tab = await openPage(gateway.adminPort)
  const customers = new Customers(gateway)
  await customers.goOn()
  for (const shop of [s1, s2]) {
    const { id } = shop
    await tab.getByRole('link', { name: `drain ${id}`, exact: true }).click()
    await tab.getByText(/at most 10 minutes/).waitFor()
    await tab.locator('#value').fill('5m')
    await tab.getByRole('button', { name: 'Show consequence' }).click()
    await tab.getByText(/sessions? stays?, at most 5 minutes\. New sessions start elsewhere\./).waitFor()
    await tab.getByRole('button', { name: `Drain ${id}`, exact: true }).click()
    await shows(tab, id, 'safe to stop')
    await shows(tab, id, 'no session was left')
    await shop.restart()
    await confirm(tab, `ready ${id}`, new RegExp(`^${id} takes new sessions\\.$`), `Make ready ${id}`)
    await shows(tab, id, 'up')
    await customers.goOn()
  }
  // The backup has no session, so none moves.
  await confirm(tab, 'maint s3', /0 sessions move to another backend/, 'Put into maintenance s3')
  await shows(tab, 's3', 'safe to stop')
  await s3.restart()
  await confirm(tab, 'ready s3', /^s3 takes new sessions\.$/, 'Make ready s3')
  await shows(tab, 's3', 'up')
  await customers.goOn()
  await customers.stop()
  expect(customers.problems).toEqual([])
}, 180_000)
