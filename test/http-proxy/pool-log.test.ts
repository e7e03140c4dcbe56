import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createAffinity, type DiscoveryListener } from '@limpet/core'
import { createHttpProxy, type HttpProxyOptions } from '@limpet/http-proxy'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { serve } from '../support/node-app.ts'

function recorder(): { lines: string[]; logger: Record<'info' | 'warn' | 'error', (text: string) => void> } {
  const lines: string[] = []
  const level = (name: string) => (text: string) => void lines.push(`${name} ${text}`)
  return { lines, logger: { info: level('info'), warn: level('warn'), error: level('error') } }
}

async function gateway(options: HttpProxyOptions): Promise<number> {
  const proxy = createHttpProxy(options)
  onTestFinished(() => proxy.close())
  return serve(async (request, response) => proxy.take(request, response)?.respond())
}

test('says once that a backend cannot be reached, and once that it is reached again', async () => {
  const [w1, w2] = await startBackends('w1', 'w2')
  await w1.refuse()
  const { lines, logger } = recorder()
  const name = 'unreached'
  const port = await gateway({ ...poolOf(w1, w2), name, affinity: [], balance: 'first', logger })
  for (let count = 0; count < 3; count += 1) await ask(port)
  expect(lines).toEqual([
    `warn limpet: pool ${name}: backend w1 cannot be reached: connect ECONNREFUSED 127.0.0.1:${w1.port}`,
  ])
  await w1.listen()
  for (let count = 0; count < 3; count += 1) await ask(port)
  expect(lines.slice(1)).toEqual([`info limpet: pool ${name}: backend w1 is reached again`])
})

test('writes a line for each change of a pool, and none of another pool', async () => {
  const { lines, logger } = recorder()
  const name = 'changes'
  const use = createAffinity({ name, affinity: [], backends: [{ id: 'w1', url: 'http://127.0.0.1:1' }] })
  const proxy = createHttpProxy({ use, logger })
  const other = createAffinity({ affinity: [], backends: [{ id: 'w1', url: 'http://127.0.0.1:1' }] })
  other.pool.setHealthy('w1', false)
  use.pool.setHealthy('w1', false, 'status 500')
  use.pool.setHealthy('w1', false, 'status 500')
  use.pool.setHealthy('w1', true)
  use.pool.add({ id: 'w2', url: 'http://127.0.0.1:2' })
  use.pool.remove('w2')
  await use.pool.drain('w1', { deadline: 1 }).drained
  proxy.close()
  use.pool.setState('w1', 'ready')
  expect(lines).toEqual(
    [
      'warn backend w1 is down (health check: status 500)',
      'error no backend is available: requests get 503',
      'info backend w1 is up again (health check)',
      'info a backend is available again',
      'info backends added: w2',
      'info backends removed: w2',
      'info backend w1 drains: it keeps its sessions and takes no new ones',
      'info backend w1 is in maintenance',
      'error no backend is available: requests get 503',
      'info the drain of backend w1 has ended: drained, 0 requests and 0 sessions left',
    ].map(line => line.replace(' ', ` limpet: pool ${name}: `)),
  )
})

test('two pools of one name and logger write each line once, until the last is closed', () => {
  const { lines, logger } = recorder()
  const proxies = ['w1', 'w2'].map(id => {
    const use = createAffinity({ name: 'twins', affinity: [], backends: [{ id, url: 'http://127.0.0.1:1' }] })
    return createHttpProxy({ use, logger })
  })
  for (const proxy of proxies) {
    const { pool } = proxy.affinity
    const [view] = pool.backends
    pool.setHealthy(view?.backend.id ?? '', false)
    proxy.close()
    proxy.close()
  }
  proxies[0]?.affinity.pool.setHealthy('w1', true)
  expect(lines).toEqual([
    'warn limpet: pool twins: backend w1 is down (health check)',
    'warn limpet: pool twins: backend w2 is down (health check)',
    'error limpet: pool twins: no backend is available: requests get 503',
  ])
})

test('says once that discovery fails, and once that it works again', () => {
  const { lines, logger } = recorder()
  let listener: DiscoveryListener | undefined
  const discovery = {
    name: 'catalog',
    subscribe(given: DiscoveryListener) {
      listener = given
      return { close() {} }
    },
  }
  const proxy = createHttpProxy({ name: 'found', affinity: [], discovery, logger })
  onTestFinished(() => proxy.close())
  listener?.failed(new Error('two\nlines'))
  listener?.failed(new Error('two\nlines'))
  // In the same turn as the failure: the list is not whole.
  listener?.backends([])
  expect(lines).toEqual([
    'warn limpet: pool found: discovery catalog fails, the known backends stay: two lines',
  ])
  return Promise.resolve().then(() => {
    listener?.backends([])
    expect(lines.slice(1)).toEqual(['info limpet: pool found: discovery catalog works again'])
  })
})

test('by default warnings and errors go to the console, and with false nothing does', () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  onTestFinished(() => warn.mockRestore())
  for (const [name, options] of Object.entries({ loud: {}, quiet: { logger: false as const } })) {
    const use = createAffinity({ name, affinity: [], backends: [{ id: 'w1', url: 'http://127.0.0.1:1' }] })
    const proxy = createHttpProxy({ use, ...options })
    use.pool.add({ id: 'w2', url: 'http://127.0.0.1:2' })
    use.pool.setHealthy('w1', false)
    proxy.close()
  }
  expect(warn.mock.calls).toEqual([['limpet: pool loud: backend w1 is down (health check)']])
})

test.each([null, true, 'console', { info() {} }])('refuses %o as a logger', logger => {
  expect(() => createHttpProxy({ affinity: [], backends: [], logger: logger as never })).toThrow(
    /^option logger got .*; it takes an object with info, warn and error, or false$/,
  )
})

test('NODE_DEBUG=limpet writes a line for each event, also where there is no logger', async () => {
  const program = `
    import { createAffinity } from '@limpet/core'
    import { createHttpProxy } from '@limpet/http-proxy'
    const use = createAffinity({ name: 'bugs', affinity: [], backends: [] })
    createHttpProxy({ use, logger: false })
    try { use.select({ method: 'GET', url: '/', httpVersion: '1.1', rawHeaders: ['Host', 'a'], headers: { host: 'a' } }) } catch {}`
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, NODE_DEBUG: 'limpet' },
  })
  expect(stderr).toContain('refused {"pool":"bugs","code":"ERR_NO_BACKEND","statusCode":503}')
})
