import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type RedisStateEvent, StateEvents } from './state-events.ts'

function setUp(): { states: StateEvents; told: string[] } {
  const told: string[] = []
  const listener = (event: unknown): void => {
    const { state, reason } = event as RedisStateEvent
    told.push(reason === undefined ? state : `${state}: ${reason}`)
  }
  subscribe('limpet:redis-state', listener)
  onTestFinished(() => void unsubscribe('limpet:redis-state', listener))
  return { states: new StateEvents('shop', 'learned'), told }
}

describe('events of state', () => {
  it('are one for each change', () => {
    const { states, told } = setUp()
    states.up()
    states.up()
    states.down(new Error('refused'))
    states.down(new Error('refused again'))
    states.up()
    expect(told).toEqual(['up', 'down: refused', 'up'])
  })

  it('say what is refused, also after an outage', () => {
    const { states, told } = setUp()
    states.refused('invalidation', new Error('NOPERM'))
    states.up()
    states.refused('writes', new Error('OOM'))
    states.refused('writes', new Error('OOM'))
    states.down(new Error('gone'))
    states.up()
    states.accepted('writes')
    states.accepted('writes')
    expect(told).toEqual([
      'degraded: invalidation: NOPERM',
      'degraded: invalidation: NOPERM; writes: OOM',
      'down: gone',
      'degraded: invalidation: NOPERM; writes: OOM',
      'degraded: invalidation: NOPERM',
    ])
  })

  it('give the reason of a connection that no address took, and never a long one', () => {
    // node:net gives its error no message.
    const failure = new AggregateError([new Error('connect ECONNREFUSED ::1:6379')], 'several')
    failure.message = ''
    const { states, told } = setUp()
    states.down(failure)
    states.up()
    states.down('x'.repeat(1_000))
    expect(told).toEqual(['down: connect ECONNREFUSED ::1:6379', 'up', `down: ${'x'.repeat(200)}`])
  })

  it('leave out the arguments of a command that the server repeats, for the password is one of them', () => {
    const { states, told } = setUp()
    states.down(
      new Error(
        'ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `limpet`, `pass-word`, ',
      ),
    )
    states.refused('writes', new Error("ERR unknown command 'SET', with args beginning with: 'key' 'tag' "))
    states.up()
    expect(told).toEqual(['down: ERR unknown command `HELLO`', "degraded: writes: ERR unknown command 'SET'"])
  })

  it('say of replies that are none that they are not those of Redis', () => {
    const { states, told } = setUp()
    states.down(new Error('Unknown RESP type 72 "H"'))
    states.up()
    states.down(new TypeError("Cannot read properties of undefined (reading 'resolve')"))
    expect(told).toEqual([
      'down: not the protocol of Redis: Unknown RESP type 72 "H"',
      'up',
      "down: not the protocol of Redis: Cannot read properties of undefined (reading 'resolve')",
    ])
  })
})
