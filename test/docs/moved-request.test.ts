import { expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess, type LogLine } from '../support/gateway-process.ts'
import { sitePages } from '../support/readme.ts'

/** "Why has a request moved?" of the site's page on troubleshooting. */

const SHOWN = sitePages()
  .flatMap(({ snippets }) => snippets)
  .filter(({ key }) => key.startsWith('site troubleshooting Why has a request moved?'))
  .flatMap(({ code }) => code.trim().split('\n'))
  .map(line => JSON.parse(line) as LogLine)

test('the lines of a request that moved are those that the page shows', async () => {
  const backends = await startBackends('web1', 'web2')
  const gateway = await GatewayProcess.start(fileOf(backends))
  const browser = gateway.browser()
  expect(await browser.visit()).toBe('web1')
  await backends[0].refuse()
  expect(await browser.visit()).toBe('web2')
  await gateway.logged('request', 2)
  const [failed, redispatched, request] = SHOWN
  for (const line of [failed, redispatched, request])
    expect(gateway.log).toContainEqual(expect.objectContaining(line))
})

test('a request of a session whose server is in maintenance is unavailable, after state_changed', async () => {
  const gateway = await GatewayProcess.start(fileOf(await startBackends('web1', 'web2')))
  const browser = gateway.browser()
  const home = await browser.visit()
  await gateway.admin('PATCH', `/pools/web/backends/${home}`, { state: 'maint' })
  expect(await browser.visit()).not.toBe(home)
  await gateway.logged('request', 2)
  // Lines of requests are written in batches, after other lines of the same time.
  const told = gateway.log.flatMap(({ event, state, affinity }) =>
    event === 'state_changed' || event === 'request' ? [state ?? affinity] : [],
  )
  expect(new Set(told)).toEqual(new Set(['maint', 'none', 'unavailable']))
})
