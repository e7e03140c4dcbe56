import { statsPage } from '@limpet/stats'
import { describe, expect, test } from 'vitest'
import { serve } from '../support/node-app.ts'
import { fieldsOf, nodeOperator, Operator, poolOf, visit } from '../support/operator.ts'

describe('the stats page', () => {
  test('changes the state and the weight, and says before what follows', async () => {
    const affinity = poolOf(3)
    for (let n = 0; n < 3; n += 1) await visit(affinity)
    const operator = await nodeOperator(affinity)
    const said = async (query: string): Promise<readonly string[]> =>
      [...(await operator.get(`?pool=web&backend=w1&${query}`)).text.matchAll(/<li>(.*?)<\/li>/g)].map(
        ([, line = '']) => line,
      )
    expect(await said('do=drain&value=10m')).toEqual([
      'About 1 session stays, at most 10 minutes. New sessions start elsewhere.',
      'Sessions that are left then move with their next request. Their WebSockets are closed, and requests get five seconds to end.',
    ])
    expect(await said('do=maint')).toEqual([
      'About 1 session moves to another backend with the next request.',
    ])
    expect(await said('do=weight&value=2')).toEqual([
      'w1 gets about 50 % of new sessions. Sessions stay where they are.',
    ])
    await operator.change('maint', 'w2')
    await operator.change('maint', 'w3')
    expect(affinity.stats().backends.map(({ state }) => state)).toEqual(['ready', 'maint', 'maint'])
    expect(await said('do=drain&value=1h')).toContain(
      'No other backend takes new sessions: requests without a session get 503.',
    )
    expect(await said('do=maint')).toContain('No other backend is available: all requests get 503.')
    await operator.change('weight', 'w1', '7')
    await operator.change('ready', 'w2')
    expect(affinity.stats().backends.map(({ state, weight }) => [state, weight])).toEqual([
      ['ready', 7],
      ['ready', 1],
      ['maint', 1],
    ])
  })

  test('tells the end of a drain: its deadline with the spread, and then that it is safe to stop', async () => {
    const affinity = poolOf(2)
    await visit(affinity)
    const operator = await nodeOperator(affinity)
    affinity.pool.drain('w1', { deadline: '4m', spread: '1m' })
    expect((await operator.get()).text).toContain('about 1 session, 0 requests left')
    expect((await operator.get()).text).toMatch(/ends in 5 min at most, at \d\d:\d\d:\d\d UTC/)
    await affinity.pool.drain('w1', { deadline: 1 }).drained
    expect((await operator.get()).text).toMatch(/maint<\/span>[^]*safe to stop/)
  })

  test('drains with a spread, foretells the end by the pace of the sessions, and tells how a drain ended', async () => {
    let now = Date.now()
    const affinity = poolOf(2, 'web', { now: () => now })
    for (let n = 0; n < 8; n += 1) await visit(affinity)
    const operator = await nodeOperator(affinity)
    const query = '?do=drain&pool=web&backend=w1&value=1h&spread='
    const asked = await operator.get(`${query}30m`)
    expect(asked.text).toContain('About 4 sessions stay, at most 1 hour 30 minutes.')
    expect(asked.text).toContain('Sessions that are left then move over 30 minutes, one after the other.')
    expect((await operator.get(`${query}2d`)).text).toContain('takes a duration of 0s to 1d')
    expect((await operator.post({ ...fieldsOf(asked.text), spread: 'soon' })).status).toBe(400)
    expect(affinity.stats().backends[0]?.state).toBe('ready')
    expect((await operator.post(fieldsOf(asked.text))).status).toBe(303)
    expect(affinity.stats().backends[0]?.drain).toMatchObject({ spreadMs: 1_800_000, startedSessions: 4 })
    now += 60_000
    const begun = await operator.get()
    expect(begun.text).toContain('in the last 30 min of it sessions move')
    expect(begun.text).toMatch(/value="0"[^>]*aria-label="progress of the drain of w1"/)
    expect(begun.text).not.toContain('ends in about')
    affinity.pool.drainOf('w1')?.cancel()
    now += 60_000
    expect((await operator.get('?pool=web&backend=w1')).text).toMatch(
      /<dt>last drain<\/dt>\s*<dd>cancelled after 1 min, at [\d:]{8} UTC<\/dd>/,
    )
    await affinity.pool.drain('w1', { deadline: 1 }).drained
    expect((await operator.get()).text).toMatch(/safe to stop[^]*the deadline moved about 4 sessions/)
  })

  test('tells moves with their reason, checks, and everything of one backend', async () => {
    const affinity = poolOf(2)
    await visit(affinity)
    await visit(affinity, 503)
    affinity.pool.noteCheck('w1', { healthy: false, problem: 'status 500', durationMs: 12 })
    affinity.pool.setHealthy('w1', false)
    const operator = await nodeOperator(affinity)
    affinity.pool.noteCheck('w2', { healthy: true, problem: undefined, durationMs: 3 })
    const { text: list } = await operator.get()
    expect(list).toContain('check failed: status 500, 12 ms')
    expect(list).toContain('check passed, 3 ms')
    const one = await operator.get('?pool=web&backend=w1')
    expect(one.text).toMatch(/0 passed, 1 failed; last at [\d:]{8} UTC failed: status 500, in 12 ms/)
    expect(one.text).toMatch(/<dt>responses<\/dt>\s*<dd>1 2xx<\/dd>/)
  })

  test('sorts, filters and pages without a script', async () => {
    const affinity = poolOf(250)
    affinity.pool.setWeight('w17', 9)
    const operator = await nodeOperator(affinity)
    const idsOf = async (query: string): Promise<readonly string[]> =>
      [...(await operator.get(query)).text.matchAll(/<tr id="b-web-(w\d+)"/g)].map(([, id = '']) => id)
    const first = await idsOf('')
    expect([first.length, first[0], first[99]]).toEqual([100, 'w1', 'w100'])
    expect((await idsOf('?page-web=3')).length).toBe(50)
    expect((await idsOf('?page-web=999999'))[0]).toBe('w201')
    expect((await idsOf('?sort=weight&order=desc'))[0]).toBe('w17')
    expect((await idsOf('?sort=id&order=desc'))[0]).toBe('w250')
    expect(await idsOf('?filter=w24')).toEqual(['w24', ...Array.from({ length: 10 }, (_, n) => `w24${n}`)])
    expect(await idsOf('?filter=nothing')).toEqual([])
    for (const query of ['?sort=__proto__', '?sort=x&order=x&page-web=-1', '?%', '?part=x'])
      expect((await idsOf(query)).length).toBe(100)
  })
  test('1,000 backends take less than 300 ms', async () => {
    const affinity = poolOf(1_000)
    for (let n = 0; n < 2_000; n += 1) await visit(affinity)
    const operator = await nodeOperator(affinity)
    await operator.get()
    // Of processor time, which no other program on this machine adds to.
    const before = process.cpuUsage()
    const list = await operator.get('?sort=p99&order=desc&filter=w')
    const { user, system } = process.cpuUsage(before)
    expect(list.text).toContain('page 1 of 10, 1,000 backends')
    expect((user + system) / 1_000).toBeLessThan(300)
  })

  test('shows several pools', async () => {
    const page = statsPage([poolOf(1), poolOf(1, 'api')])
    const operator = new Operator(await serve((request, response) => page(request, response)))
    expect((await operator.get()).text).toMatch(/id="pool-web"[^]*id="pool-api"/)
    expect((await operator.change('maint', 'w1', '', 'api')).header('location')).toBe('?#b-api-w1')
  })
})
