import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { type Affinity, createAffinity } from './affinity.ts'
import type { AffinityOptions } from './affinity-options.ts'
import type { FailedEvent, LimpetChannel, LimpetEvents, SelectedEvent } from './diagnostics.ts'
import { onEvent } from './diagnostics.ts'
import { type NodeRequest, type RequestHead, requestHead } from './head.ts'
import type { Lease } from './lease.ts'

const NAMES = ['selected', 'responded', 'failed', 'redispatched', 'released', 'refused', 'policy-failed']

/** The events that are published while `run` runs. */
function published(run: () => void): [string, unknown][] {
  const events: [string, unknown][] = []
  const listeners = NAMES.map(name => {
    const listener = (event: unknown) => {
      events.push([name, event])
    }
    subscribe(`limpet:${name}`, listener)
    return () => unsubscribe(`limpet:${name}`, listener)
  })
  try {
    run()
  } finally {
    for (const stop of listeners) stop()
  }
  return events
}

const REQUEST: RequestHead = {
  method: 'GET',
  url: '/secret?token=x',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'web.test', 'Cookie', 'SERVERID=forged'],
  headers: { host: 'web.test', cookie: 'SERVERID=forged' },
  remoteAddress: '192.0.2.1',
  localPort: 80,
  encrypted: false,
  hasBody: false,
}

function affinityOf(ids: string, affinity?: AffinityOptions['affinity']): Affinity {
  const backends = Array.from(ids, id => ({ id, url: `http://${id}.test:80` }))
  return createAffinity({
    name: 'web',
    ...(affinity && { affinity }),
    backends,
    secrets: ['correct horse battery staple, and then some more'],
  })
}

function leaseOf(affinity: Affinity): Lease {
  const lease = affinity.select(REQUEST)
  if (lease instanceof Promise) throw new Error('needs no promise')
  return lease
}

describe('published events', () => {
  it('is a request from its choice to its end', () => {
    const failure = { kind: 'unreached', slow: false, cause: new Error('refused') } as const
    const events = published(() => {
      const lease = leaseOf(affinityOf('ab'))
      lease.failed(failure)
      lease.next(failure)
      lease.responded({ statusCode: 204, headers: {} })
      lease.failed({ ...failure, kind: 'truncated' })
      lease.release()
      lease.release()
    })
    expect(events).toEqual([
      ['selected', { pool: 'web', backend: 'a', status: 'invalid' }],
      ['failed', { pool: 'web', backend: 'a', failure }],
      ['redispatched', { pool: 'web', backend: 'b', from: 'a', kind: 'unreached' }],
      ['responded', { pool: 'web', backend: 'b', status: 'invalid', statusCode: 204 }],
      ['failed', { pool: 'web', backend: 'b', failure: { ...failure, kind: 'truncated' } }],
      ['released', { pool: 'web', backend: 'b' }],
    ])
  })

  it('is a request without an available backend', () => {
    const events = published(() => expect(() => leaseOf(affinityOf(''))).toThrow('no backend is available'))
    expect(events).toEqual([['refused', { pool: 'web', code: 'ERR_NO_BACKEND', statusCode: 503 }]])
  })

  it('is a message that was refused', () => {
    const select = () => affinityOf('a').select({ ...REQUEST, method: 'CONNECT' })
    const events = published(() => expect(select).toThrow('CONNECT'))
    expect(events).toEqual([['refused', { pool: 'web', code: 'ERR_REFUSED_REQUEST', statusCode: 501 }]])
  })

  it('is a policy that failed, to read or to write', () => {
    const error = new Error('no store')
    const fail = () => {
      throw error
    }
    const events = published(() => {
      const lease = leaseOf(affinityOf('a', [{ name: 'store', read: fail, write: fail }]))
      lease.responded({ statusCode: 200, headers: {} })
    })
    expect(events).toEqual([
      ['policy-failed', { pool: 'web', policy: 'store', error }],
      ['selected', { pool: 'web', backend: 'a', status: 'none' }],
      ['policy-failed', { pool: 'web', policy: 'store', error }],
      ['responded', { pool: 'web', backend: 'a', status: 'none', statusCode: 200 }],
    ])
  })

  it('has nothing in it that a client sent [T-01]', () => {
    const events = published(() => {
      const lease = leaseOf(affinityOf('a'))
      lease.responded({ statusCode: 200, headers: {} })
      lease.release()
    })
    expect(events).toHaveLength(3)
    expect(JSON.stringify(events)).not.toMatch(/forged|token|secret|192\.0\.2/)
  })
})

describe('an event of a request', () => {
  const message: NodeRequest = {
    method: 'GET',
    url: '/secret',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'web.test', 'Cookie', 'SERVERID=forged'],
    headers: { host: 'web.test', cookie: 'SERVERID=forged' },
    socket: {},
  }

  it.each<LimpetChannel>([
    'limpet:selected',
    'limpet:connected',
    'limpet:failed',
    'limpet:redispatched',
    'limpet:responded',
    'limpet:policy-failed',
    'limpet:released',
  ])('has the message of Node: %s', name => {
    const events: object[] = []
    onTestFinished(onEvent(name, event => events.push(event)))
    const read = () => {
      throw new Error('down')
    }
    const lease = affinityOf('ab', [{ name: 'store', read }]).select(requestHead(message)) as Lease
    const failure = { kind: 'unreached', slow: false, cause: undefined } as const
    lease.connected()
    lease.failed(failure)
    lease.next(failure)
    lease.responded({ statusCode: 204, headers: {} })
    lease.release()
    expect(events.map(event => Reflect.get(event, 'request'))).toEqual([message])
    expect(JSON.stringify(events)).not.toMatch(/secret|forged/)
  })

  it('has the message of Node: limpet:refused', () => {
    const requests: unknown[] = []
    onTestFinished(onEvent('limpet:refused', ({ request }) => requests.push(request)))
    expect(() => affinityOf('').select(requestHead(message))).toThrow('no backend')
    expect(requests).toEqual([message])
  })

  it('has none for a head that was made by hand', () => {
    const requests: unknown[] = []
    onTestFinished(onEvent('limpet:selected', ({ request }) => requests.push(request)))
    leaseOf(affinityOf('a')).release()
    expect(requests).toEqual([undefined])
  })
})

describe('onEvent', () => {
  it('calls the listener until it is ended', () => {
    const backends: string[] = []
    const end = onEvent('limpet:selected', ({ backend }) => backends.push(backend))
    leaseOf(affinityOf('a'))
    end()
    leaseOf(affinityOf('b'))
    expect(backends).toEqual(['a'])
  })

  it('has a typed event for each channel', () => {
    expectTypeOf<LimpetEvents['limpet:selected']>().toEqualTypeOf<SelectedEvent>()
    expectTypeOf<SelectedEvent['status']>().toEqualTypeOf<Lease['status']>()
    expectTypeOf<Parameters<typeof onEvent<'limpet:failed'>>[1]>().parameter(0).toEqualTypeOf<FailedEvent>()
    // @ts-expect-error No channel has this name.
    onEvent('limpet:fail', () => undefined)()
  })
})
