// Takes pictures of the stats page, light, dark, narrow and of a drain: node test/stats/screenshots.ts [folder]
// The light one is also the picture of the README, packages/stats/stats-page.jpg.

import { once } from 'node:events'
import { copyFileSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { statsPage } from '@limpet/stats'
import { startChromium } from '../support/chromium.ts'
import { poolOf, visit } from '../support/operator.ts'

const [, , folder = 'test/node_modules/.cache/screenshots'] = process.argv
const affinity = poolOf(5)
for (let n = 0; n < 900; n += 1) await visit(affinity, n % 97 === 0 ? 503 : 200)
affinity.pool.drain('w2', { deadline: '10m' })
affinity.pool.setState('w3', 'maint')
affinity.pool.noteCheck('w4', { healthy: false, problem: 'status 500', durationMs: 12 })
affinity.pool.setHealthy('w4', false)

const page = statsPage(affinity)
const server = createServer((request, response) => page(request, response)).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

// Samples for the sparklines.
for (let look = 0; look < 12; look += 1) {
  for (let n = 0; n < 20 + 15 * Math.sin(look); n += 1) await visit(affinity)
  await setTimeout(1_000)
  await (await fetch(url)).text()
}

mkdirSync(folder, { recursive: true })
const browser = await startChromium()
const narrow = { width: 390, height: 800 }
const wide = { width: 1180, height: 600 }
for (const [name, query, options] of [
  ['light', '', { colorScheme: 'light', viewport: wide }],
  ['dark', '', { colorScheme: 'dark', viewport: wide }],
  ['narrow', '', { colorScheme: 'light', viewport: narrow }],
  ['draining', '?pool=web&backend=w2', { colorScheme: 'light', viewport: wide }],
  ['confirmation', '?do=drain&pool=web&backend=w1&value=10m', { colorScheme: 'light', viewport: wide }],
] as const) {
  const tab = await browser.newPage(options)
  await tab.goto(url + query)
  await tab.screenshot({ path: join(folder, `${name}.jpg`), type: 'jpeg', quality: 72 })
  await tab.close()
}
await browser.close()
const picture = fileURLToPath(new URL('../../packages/stats/stats-page.jpg', import.meta.url))
copyFileSync(join(folder, 'light.jpg'), picture)
server.close()
server.closeAllConnections()
