import { expect, it } from 'vitest'
import type { FromParent } from './messages.ts'
import { Rounds } from './rounds.ts'

class TestPeer {
  readonly rounds: number[] = []

  send(message: FromParent): void {
    if (message.what === 'pass') this.rounds.push(message.round)
  }
}

it('answers all questions that come during a round after the next one', () => {
  const rounds = new Rounds()
  const peer = new TestPeer()
  rounds.joined(peer)
  const answered: string[] = []
  rounds.ask(() => void answered.push('first'))
  rounds.ask(() => void answered.push('second'))
  rounds.ask(() => void answered.push('third'))
  expect(peer.rounds).toEqual([1])
  rounds.passed(peer, 1)
  expect(answered).toEqual(['first'])
  expect(peer.rounds).toEqual([1, 2])
  rounds.passed(peer, 2)
  expect(answered).toEqual(['first', 'second', 'third'])
})

it('waits once for a worker that does not reply, and again when it has', async () => {
  const rounds = new Rounds()
  const [good, stuck] = [new TestPeer(), new TestPeer()]
  rounds.joined(good)
  rounds.joined(stuck)
  const first = Promise.withResolvers<void>()
  rounds.ask(first.resolve)
  rounds.passed(good, 1)
  await first.promise
  let answers = 0
  rounds.ask(() => void (answers += 1))
  rounds.passed(good, 2)
  expect([answers, stuck.rounds]).toEqual([1, [1]])
  rounds.passed(stuck, 1)
  rounds.ask(() => void (answers += 1))
  rounds.passed(good, 3)
  expect([answers, stuck.rounds]).toEqual([1, [1, 3]])
  rounds.left(stuck)
  expect(answers).toBe(2)
})

it('answers at once without workers', () => {
  let isAnswered = false
  new Rounds().ask(() => void (isAnswered = true))
  expect(isAnswered).toBe(true)
})
