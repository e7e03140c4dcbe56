import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HASH_KEY_BYTES, type KeyedHash, keyedHash } from '../signing/keyed-hash.ts'
import type { BackendView } from '../pool/backend-view.ts'
import { LivePool } from '../pool/live-pool.ts'
import { Rendezvous, SLOTS } from './rendezvous.ts'

/** Weights by id. */
type Weights = Readonly<Record<string, number>>

const hash = keyedHash(new Uint8Array(HASH_KEY_BYTES).fill(7))

function rendezvousOf(weights: Weights): Rendezvous {
  const backends = Object.entries(weights).map(([id, weight]) => ({
    id,
    weight,
    url: `http://${id}.test:80`,
  }))
  return new Rendezvous(new LivePool('p', backends).candidates, hash)
}

/** The winner of each of the first `count` slots. */
function winners(weights: Weights, count: number): (string | undefined)[] {
  const rendezvous = rendezvousOf(weights)
  return Array.from({ length: count }, (_, slot) => rendezvous.winner(slot)?.backend.id)
}

/** The pairs of old and new winner between which slots moved, each once. */
function moves(
  before: Weights,
  after: Weights,
  count: number,
): { from: Set<string>; to: Set<string>; slots: number } {
  const [old, now] = [winners(before, count), winners(after, count)]
  const moved = old.flatMap((from, slot) =>
    from === now[slot] ? [] : ([[from ?? '', now[slot] ?? '']] as const),
  )
  return {
    from: new Set(moved.map(([from]) => from)),
    to: new Set(moved.map(([, to]) => to)),
    slots: moved.length,
  }
}

const id = fc.stringMatching(/^[a-z0-9_-]{1,12}$/)
const weight = fc.integer({ min: 1, max: 128 })
const some = fc
  .uniqueArray(fc.tuple(id, weight), { minLength: 2, maxLength: 12, selector: ([name]) => name })
  .map(entries => Object.fromEntries(entries) as Weights)

/** The `n`-th of them, whatever n is. */
function nth(weights: Weights, n: number): string {
  const ids = Object.keys(weights)
  return ids[n % ids.length] ?? ''
}

const SOME = 4_000

describe('rendezvous', () => {
  it('moves only the slots of a backend that leaves', () => {
    fc.assert(
      fc.property(some, fc.nat(), (weights, n) => {
        const gone = nth(weights, n)
        const { [gone]: _, ...rest } = weights
        const moved = moves(weights, rest, SOME)
        expect([...moved.from]).toEqual(moved.slots === 0 ? [] : [gone])
        expect(moved.slots).toBe(winners(weights, SOME).filter(winner => winner === gone).length)
      }),
    )
  })

  it('moves slots only to a backend that joins', () => {
    fc.assert(
      fc.property(some, weight, (weights, heavy) => {
        const moved = moves(weights, { ...weights, NEWCOMER: heavy }, SOME)
        expect([...moved.to]).toEqual(moved.slots === 0 ? [] : ['NEWCOMER'])
      }),
    )
  })

  it('moves no more than the share of a backend that joins, within a tenth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.nat(9_999), (count, batch) => {
        const weights = Object.fromEntries(Array.from({ length: count }, (_, n) => [`b${batch}-${n}`, 1]))
        const { slots } = moves(weights, { ...weights, NEWCOMER: 1 }, SLOTS)
        // The standard error is sqrt(count / SLOTS) of the share: 0.9 % of it for 20, so a tenth is eleven of them.
        expect(slots / SLOTS).toBeLessThan(1.1 / (count + 1))
        expect(slots / SLOTS).toBeGreaterThan(0.9 / (count + 1))
      }),
      { numRuns: 8 },
    )
  })

  it('moves slots only to a backend that gains weight', () => {
    fc.assert(
      fc.property(some, fc.nat(), weight, (weights, n, more) => {
        const heavier = nth(weights, n)
        const moved = moves(weights, { ...weights, [heavier]: (weights[heavier] ?? 0) + more }, SOME)
        expect([...moved.to]).toEqual(moved.slots === 0 ? [] : [heavier])
      }),
    )
  })

  it('does not mind the order of the list', () => {
    fc.assert(
      fc.property(some, fc.nat(), (weights, n) => {
        const entries = Object.entries(weights)
        const cut = n % entries.length
        const turned = Object.fromEntries([...entries.slice(cut), ...entries.slice(0, cut)].toReversed())
        expect(winners(turned, SOME)).toEqual(winners(weights, SOME))
      }),
    )
  })

  it('gives slots by weight', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 3, maxLength: 8 })
    fc.assert(
      fc.property(weights, fc.nat(9_999), (list, batch) => {
        const given = Object.fromEntries(list.map((heavy, n) => [`b${batch}-${n}`, heavy]))
        const total = list.reduce((sum, heavy) => sum + heavy, 0)
        const won = Object.groupBy(winners(given, SLOTS), winner => winner ?? '')
        for (const [name, heavy] of Object.entries(given)) {
          const share = heavy / total
          const got = (won[name]?.length ?? 0) / SLOTS
          // Six standard errors, which are 0.001 at the most: at worst once in 10^8.
          expect(Math.abs(got - share)).toBeLessThan(6 * Math.sqrt((share * (1 - share)) / SLOTS))
        }
      }),
      { numRuns: 10 },
    )
  })

  it('gives the slots of a refused backend to all others, as if it had left', () => {
    fc.assert(
      fc.property(some, fc.nat(), (weights, n) => {
        const refused = nth(weights, n)
        const { [refused]: _, ...rest } = weights
        const rendezvous = rendezvousOf(weights)
        const accepts = (view: BackendView): boolean => view.backend.id !== refused
        const got = Array.from({ length: SOME }, (__, slot) => rendezvous.winnerOf(slot, accepts)?.backend.id)
        expect(got).toEqual(winners(rest, SOME))
      }),
    )
  })

  it('is the same when asked again, and in another order', () => {
    fc.assert(
      fc.property(some, weights => {
        const rendezvous = rendezvousOf(weights)
        const slots = Array.from({ length: SOME }, (_, slot) => slot)
        const backwards = slots.toReversed().map(slot => rendezvous.winner(slot)?.backend.id)
        const again = slots.map(slot => rendezvous.winner(slot)?.backend.id)
        expect(again).toEqual(backwards.toReversed())
        expect(again).toEqual(winners(weights, SOME))
      }),
    )
  })

  it('breaks a tie by id, not by the order of the list', () => {
    const sameForAll: KeyedHash = (_text, out) => out.fill(0)
    for (const ids of ['abc', 'cba', 'bca']) {
      const backends = Array.from(ids, one => ({ id: one, url: `http://${one}.test:80` }))
      const rendezvous = new Rendezvous(new LivePool('p', backends).candidates, sameForAll)
      expect(rendezvous.winner(7)?.backend.id).toBe('a')
    }
  })

  it('remembers more backends than sixteen bits can count', () => {
    const light = Array.from({ length: 2 ** 16 }, (_, n) => [`b${n}`, 1] as const)
    // The heavy ones have the last places.
    const heavy = Array.from({ length: 20 }, (_, n) => [`h${n}`, 256] as const)
    const rendezvous = rendezvousOf(Object.fromEntries([...light, ...heavy]))
    const slots = Array.from({ length: 100 }, (_, slot) => slot)
    const asked = slots.map(slot => rendezvous.winner(slot)?.backend.id)
    expect(asked.join(' ')).toMatch(/\bh/)
    expect(slots.map(slot => rendezvous.winner(slot)?.backend.id)).toEqual(asked)
  })
})
