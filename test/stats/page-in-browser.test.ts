import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Affinity } from '@limpet/core'
import { statsPage } from '@limpet/stats'
import type { AxeResults } from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startChromium } from '../support/chromium.ts'
import { serve } from '../support/node-app.ts'
import { poolOf, visit } from '../support/operator.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A page of another site that sends a form of the stats page. */
const FORGED = `<form method="post" action="ADDRESS"><input name="do" value="maint"><input name="pool" value="web">
<input name="backend" value="w1"><button>send</button></form>`

/** Pictures of the page, for people who look at a run of the tests. */
const SCREENSHOTS = fileURLToPath(new URL('../node_modules/.cache/screenshots/', import.meta.url))

let chromium: Browser
beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true })
  chromium = await startChromium()
})
afterAll(async () => chromium.close())

interface Shown {
  readonly tab: Page
  readonly url: string
  /** Violations of the policy, and errors of scripts. */
  readonly errors: readonly string[]
}

async function show(affinity: Affinity, options: BrowserContextOptions = {}): Promise<Shown> {
  const page = statsPage(affinity)
  const url = `http://127.0.0.1:${await serve((request, response) => page(request, response))}/`
  const context = await chromium.newContext(options)
  onTestFinished(async () => context.close())
  const tab = await context.newPage()
  const errors: string[] = []
  tab.on('console', message => message.type() === 'error' && errors.push(message.text()))
  tab.on('pageerror', error => errors.push(error.message))
  await tab.goto(url)
  return { tab, url, errors }
}

/** A pool with a backend in each state. */
async function mixedPool(): Promise<Affinity> {
  const affinity = poolOf(5)
  for (let n = 0; n < 50; n += 1) await visit(affinity, n % 9 === 0 ? 503 : 200)
  affinity.pool.drain('w2', { deadline: '10m' })
  affinity.pool.setState('w3', 'maint')
  affinity.pool.noteCheck('w4', { healthy: false, problem: 'status 500', durationMs: 12 })
  affinity.pool.setHealthy('w4', false)
  return affinity
}

async function seriousProblems(tab: Page): Promise<readonly string[]> {
  await tab.evaluate(AXE)
  const { violations } = await tab.evaluate(async () =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

describe('the stats page in Chromium', () => {
  test.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['narrow', { viewport: { width: 360, height: 700 } }],
  ] as const)('has no serious problem of accessibility: %s', async (name, options) => {
    const { tab, url, errors } = await show(await mixedPool(), options)
    await tab.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage: true })
    expect(await seriousProblems(tab)).toEqual([])
    // No sideways scrolling, whatever the width.
    const widths = await tab.evaluate('[document.documentElement.scrollWidth, innerWidth]')
    expect((widths as number[])[0]).toBeLessThanOrEqual((widths as number[])[1] ?? 0)
    for (const [what, query] of [
      ['draining', '?pool=web&backend=w2'],
      ['confirmation', '?do=drain&pool=web&backend=w1&value=10m'],
    ] as const) {
      await tab.goto(url + query)
      await tab.screenshot({ path: `${SCREENSHOTS}${name}-${what}.png`, fullPage: true })
      expect(await seriousProblems(tab)).toEqual([])
    }
    expect(errors).toEqual([])
  })

  test('an operator drains a backend, and sees its end come without a reload', async () => {
    const affinity = poolOf(2)
    const { tab, errors } = await show(affinity)
    await tab.evaluate('globalThis.isFirst = true')
    await visit(affinity)
    await tab.getByText('1 in all').waitFor()
    expect(await tab.evaluate('isFirst')).toBe(true)

    await tab.getByRole('link', { name: 'drain w1' }).click()
    await tab.getByText('About 1 session stays, at most 10 minutes.').waitFor()
    await tab.getByRole('textbox', { name: 'Deadline' }).fill('2m')
    await tab.getByRole('button', { name: 'Show consequence' }).click()
    await tab.getByText('About 1 session stays, at most 2 minutes.').waitFor()
    await tab.getByRole('textbox', { name: 'sessions move' }).fill('30s')
    await tab.getByRole('button', { name: 'Show consequence' }).click()
    await tab.getByText('at most 2 minutes 30 seconds').waitFor()
    expect(affinity.stats().backends[0]?.state).toBe('ready')
    await tab.getByRole('button', { name: 'Drain w1' }).click()
    await tab.locator('#b-web-w1').getByRole('progressbar').waitFor()
    expect(affinity.stats().backends[0]?.state).toBe('drain')
    expect(errors).toEqual([])
  })

  test('sorts and filters without a reload, and keeps the focus', async () => {
    const { tab, errors } = await show(poolOf(120))
    await tab.evaluate('globalThis.isFirst = true')
    await tab.getByRole('link', { name: 'Weight', exact: true }).click()
    await tab.locator('th[aria-sort=descending]').waitFor()
    expect(await tab.evaluate('document.activeElement.id')).toBe('sort-web-weight')
    await tab.keyboard.press('/')
    await tab.keyboard.type('w11')
    await tab.locator('tbody tr').nth(10).waitFor({ state: 'attached' })
    await tab.locator('tbody tr').nth(11).waitFor({ state: 'detached' })
    expect(new URL(tab.url()).search).toBe('?sort=weight&order=desc&filter=w11')
    expect(await tab.locator('#filter').inputValue()).toBe('w11')
    await tab.locator('h1').click()
    await tab.locator('body').press('j')
    await tab.keyboard.press('j')
    expect(await tab.evaluate('document.activeElement.id')).toBe('name-web-w110')
    await tab.keyboard.press('p')
    await tab.getByRole('button', { name: 'Resume' }).waitFor()
    expect(await tab.evaluate('isFirst')).toBe(true)
    expect(errors).toEqual([])
  })

  test('works without JavaScript', async () => {
    const affinity = poolOf(120)
    const { tab } = await show(affinity, { javaScriptEnabled: false })
    await tab.getByRole('searchbox').fill('w12')
    await tab.getByRole('button', { name: 'Apply' }).click()
    await tab.getByRole('link', { name: 'Sessions' }).click()
    expect(await tab.locator('tbody tr').count()).toBe(2)
    await tab.getByRole('link', { name: 'maint w120' }).click()
    await tab.getByRole('button', { name: 'Put into maintenance w120' }).click()
    await tab.locator('#b-web-w120').getByText('safe to stop').waitFor()
    expect(new URL(tab.url()).search).toBe('?filter=w12&sort=sessions&order=desc')
    expect(affinity.stats().backends.at(-1)?.state).toBe('maint')
  })

  test('a form of another site changes nothing', async () => {
    const affinity = poolOf(1)
    const { tab, url } = await show(affinity)
    const other = await serve((_request, response) =>
      response.setHeader('Content-Type', 'text/html').end(FORGED.replace('ADDRESS', url)),
    )
    await tab.goto(`http://localhost:${other}/`)
    await tab.getByRole('button').click()
    await tab.getByText('No page of another site changes anything.').waitFor()
    expect(affinity.stats().backends[0]?.state).toBe('ready')
  })
})
