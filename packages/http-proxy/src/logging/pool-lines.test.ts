import { createAffinity, type FailedEvent, type PolicyFailedEvent } from '@limpet/core'
import { expect, it, onTestFinished } from 'vitest'
import { PoolLines } from './pool-lines.ts'

/** The lines of a pool of two backends, and what writes them. */
function setUp() {
  const lines: string[] = []
  const write =
    (level: string) =>
    (text: string): void =>
      void lines.push(`${level} ${text.replace('limpet: pool web: ', '')}`)
  const { pool } = createAffinity({
    name: 'web',
    backends: ['w1', 'w2'].map(id => ({ id, url: `http://${id}.test` })),
    affinity: [],
  })
  const log = new PoolLines('web', { info: write('info'), warn: write('warn'), error: write('error') })
  log.pools.add(pool)
  onTestFinished(() => log.close())
  return { pool, log, lines }
}

const failed = (backend: string, kind: string, cause: unknown): FailedEvent =>
  ({ pool: 'web', backend, failure: { kind, slow: false, cause } }) as FailedEvent

it('tells once of a backend that cannot be reached, and of no other failure', () => {
  const { log, lines } = setUp()
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  log.failed(failed('w1', 'broken', refused))
  log.failed(failed('w1', 'unreached', refused))
  log.failed(failed('w1', 'unreached', refused))
  log.failed(failed('gone', 'unreached', refused))
  expect(lines).toEqual(['warn backend w1 cannot be reached: connect ECONNREFUSED'])
})

it('tells once that no backend is left, and when one is there again', () => {
  const { pool, log, lines } = setUp()
  const turn = (backend: string, healthy: boolean): void => {
    pool.setHealthy(backend, healthy)
    log.healthChanged({ pool: 'web', backend, healthy, by: 'check', reason: undefined })
  }
  turn('w1', false)
  turn('w2', false)
  log.refused({ pool: 'web', code: 'ERR_NO_BACKEND' } as never)
  turn('w1', true)
  expect(lines).toEqual([
    'warn backend w1 is down (health check)',
    'warn backend w2 is down (health check)',
    'error no backend is available: requests get 503',
    'info backend w1 is up again (health check)',
    'info a backend is available again',
  ])
})

it('keeps the text of a cause on its line, and a policy that fails from filling the log', () => {
  const { log, lines } = setUp()
  const error = Object.assign(new Error(`a\nb${'x'.repeat(400)}`), { code: 'EOWN' })
  const event = { pool: 'web', policy: 'own', error } as PolicyFailedEvent
  log.policyFailed(event)
  log.policyFailed(event)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^warn policy own fails, and requests go on without it: EOWN a bx+$/)
  expect(lines[0]?.length).toBeLessThan(400)
})

it('tells of discovery when it begins to fail, and when it works again', () => {
  const { log, lines } = setUp()
  const event = { pool: 'web', name: 'app.internal', error: new Error('no') }
  log.discoveryRecovered(event)
  log.discoveryFailed(event)
  log.discoveryFailed(event)
  log.discoveryRecovered(event)
  expect(lines).toEqual([
    'warn discovery app.internal fails, the known backends stay: no',
    'info discovery app.internal works again',
  ])
})
