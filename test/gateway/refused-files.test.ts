import { expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'

test('a time that no timer can count is a problem at the start, for check and for SIGHUP', async () => {
  const w1 = await startBackend('w1')
  const wrong = fileOf([w1], { preStop: '25d', limits: { sendTimeout: '999999999999d' } })
  for (const args of [[], ['check']]) {
    const { code, error } = await GatewayProcess.spawn(wrong, args).exited
    expect([code, error.split('\n').map(line => line.trim().split(' ')[0])]).toEqual([
      1,
      ['limpet:', 'preStop', 'limits.sendTimeout', ''],
    ])
  }
  const gateway = await GatewayProcess.start(fileOf([w1]))
  gateway.write(wrong)
  gateway.signal('SIGHUP')
  expect(await gateway.logged('reload_refused')).toMatchObject({
    problems: [expect.stringMatching(/^preStop /), expect.stringMatching(/^limits\.sendTimeout /)],
  })
  expect(await gateway.browser().visit()).toBe('w1')
})
