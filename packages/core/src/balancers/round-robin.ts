import type { Balancer } from './balancer.ts'
import type { Candidates } from '../pool/candidates.ts'
import type { BackendView } from '../pool/backend-view.ts'

/**
 * Each backend in turn, by weight, and smoothly: with weights 5 and 1 it is a a a a b a, with 2, 1 and 1 it is b a c a.
 * Good for: requests of like cost; the default. The price: knows nothing of load.
 *
 * Earliest deadline first: the n-th turn of a backend is due at n / weight, and the backend that is due next is
 * picked. A heap finds it in O(log n), where the usual scan (nginx) reads every backend.
 * @param start how much of the turn of the lightest backend has passed at the start, from 0 to below 1. Processes that
 * serve one pool begin at different backends with n/N each
 */
export function roundRobin(start = 0): Balancer {
  let schedule = newSchedule([], undefined, start)
  // Redispatches have turns of their own: one that took a turn of these would leave the backend that has failed
  // the next in line, for every new session.
  let redispatches = schedule
  return {
    name: 'round-robin',
    pick(candidates, _request, accepts) {
      if (accepts !== undefined) {
        if (redispatches.candidates !== candidates)
          redispatches = newSchedule(candidates, redispatches, start)
        return pickAccepted(redispatches, accepts)
      }
      if (schedule.candidates !== candidates) schedule = newSchedule(candidates, schedule, start)
      return pickNext(schedule)
    },
    peek(candidates, _request, accepts) {
      // A schedule that is made only to be looked at is not kept: it would be the last of the next one.
      const last = accepts === undefined ? schedule : redispatches
      const { heap } = last.candidates === candidates ? last : newSchedule(candidates, last, start)
      return accepts === undefined ? heap[0]?.view : firstAccepted(heap, accepts)?.view
    },
  }
}

interface Turn {
  readonly view: BackendView
  readonly weight: number
  /** Its place among the candidates. */
  readonly place: number
  /** The number of its next turn. The deadline is computed from it, not summed up, so that equal shares stay equal to the last bit. */
  next: number
  due: number
}

interface Schedule {
  readonly candidates: Candidates
  /** A binary heap: the turn that is due first is at 0. */
  readonly heap: Turn[]
  now: number
}

/**
 * A backend of the last schedule keeps its deadline, so a change elsewhere does not restart the round. Backends of one
 * weight start evenly spaced; otherwise ten light ones would all follow one heavy one.
 */
function newSchedule(candidates: Candidates, last: Schedule | undefined, start: number): Schedule {
  const owed = new Map<BackendView, number>()
  if (last !== undefined)
    for (const turn of last.heap) owed.set(turn.view, (turn.due - last.now) * turn.weight)
  const sizes = new Map<number, number>()
  for (const { effectiveWeight: weight } of candidates) sizes.set(weight, (sizes.get(weight) ?? 0) + 1)
  const lightest = Math.min(...sizes.keys())
  const ranks = new Map<number, number>()
  const schedule: Schedule = { candidates, heap: [], now: 0 }
  for (const [place, view] of candidates.entries()) {
    const { effectiveWeight: weight } = view
    const rank = (ranks.get(weight) ?? 0) + 1
    ranks.set(weight, rank)
    const first = owed.size === 0 ? rank / (sizes.get(weight) ?? 1) : 1
    // At most one turn: a weight may have changed since.
    const next = Math.min(owed.get(view) ?? later(first, start * (weight / lightest)), 1)
    schedule.heap.push({ view, weight, place, next, due: next / weight })
  }
  for (let index = (schedule.heap.length >> 1) - 1; index >= 0; index -= 1) sink(schedule.heap, index)
  return schedule
}

/** The number of the next turn, from above 0 to 1, after a share of turns has passed. */
function later(next: number, passed: number): number {
  const left = (next - passed) % 1
  return left > 0 ? left : left + 1
}

function pickNext(schedule: Schedule): BackendView | undefined {
  const turn = schedule.heap[0]
  if (turn === undefined) return undefined
  schedule.now = turn.due
  turn.next += 1
  turn.due = turn.next / turn.weight
  sink(schedule.heap, 0)
  return turn.view
}

/** The first accepted backend in the order of deadlines. Slower, but only a redispatch or a full backend needs it. */
function pickAccepted({ heap }: Schedule, accepts: (view: BackendView) => boolean): BackendView | undefined {
  const turn = firstAccepted(heap, accepts)
  if (turn === undefined) return undefined
  turn.next += 1
  turn.due = turn.next / turn.weight
  sink(heap, heap.indexOf(turn))
  return turn.view
}

function firstAccepted(heap: readonly Turn[], accepts: (view: BackendView) => boolean): Turn | undefined {
  let first: Turn | undefined
  for (const turn of heap) {
    if (accepts(turn.view) && (first === undefined || isDueBefore(turn, first))) first = turn
  }
  return first
}

/** Of two that are due together the lighter one has waited longer; equals go in the order of the list. */
function isDueBefore(a: Turn, b: Turn | undefined): boolean {
  if (b === undefined || a.due !== b.due) return b === undefined || a.due < b.due
  return a.weight === b.weight ? a.place < b.place : a.weight < b.weight
}

function sink(heap: Turn[], from: number): void {
  const turn = heap[from]
  if (turn === undefined) return
  let index = from
  for (;;) {
    let child = 2 * index + 1
    const left = heap[child]
    if (left === undefined) break
    const right = heap[child + 1]
    if (right !== undefined && isDueBefore(right, left)) child += 1
    const least = heap[child] ?? left
    if (!isDueBefore(least, turn)) break
    heap[index] = least
    index = child
  }
  heap[index] = turn
}
