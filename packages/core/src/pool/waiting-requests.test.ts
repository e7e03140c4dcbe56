import { expect, it } from 'vitest'
import { type WaitingRequest, WaitingRequests } from './waiting-requests.ts'

interface Told extends WaitingRequest {
  readonly id: number
  times: number
}

function told(id: number, onDown: (request: Told) => void = () => {}): Told {
  const request: Told = {
    id,
    place: -1,
    times: 0,
    foundDown() {
      request.times += 1
      onDown(request)
    },
  }
  return request
}

it('tells every request that waits, once', () => {
  const all = new WaitingRequests()
  const requests = [1, 2, 3, 4].map(id => told(id))
  for (const request of requests) all.add(request)
  all.foundDown()
  expect(requests.map(({ times }) => times)).toEqual([1, 1, 1, 1])
})

it('tells no request that was taken out, in whatever order', () => {
  const all = new WaitingRequests()
  const requests = [0, 1, 2, 3, 4].map(id => told(id))
  for (const request of requests) all.add(request)
  for (const id of [1, 4, 0]) all.delete(requests[id] ?? told(-1))
  expect(all.size).toBe(2)
  all.foundDown()
  expect(requests.map(({ times }) => times)).toEqual([0, 0, 1, 1, 0])
})

it('tells all when each takes itself out', () => {
  const all = new WaitingRequests()
  const requests = [0, 1, 2, 3].map(id => told(id, request => all.delete(request)))
  for (const request of requests) all.add(request)
  all.foundDown()
  expect(requests.map(({ times }) => times)).toEqual([1, 1, 1, 1])
  expect(all.size).toBe(0)
})

it('does not tell a request that another one has taken out meanwhile', () => {
  const all = new WaitingRequests()
  const second = told(2)
  const first = told(1, () => all.delete(second))
  all.add(first)
  all.add(second)
  all.foundDown()
  expect([first.times, second.times]).toEqual([1, 0])
})

it('leaves alone a list in which a request does not stand', () => {
  const all = new WaitingRequests()
  const other = new WaitingRequests()
  const here = told(1)
  const there = told(2)
  all.add(here)
  other.add(there)
  all.delete(there)
  all.delete(told(3))
  expect([all.size, other.size]).toEqual([1, 1])
  other.delete(there)
  other.delete(there)
  expect(other.size).toBe(0)
})
