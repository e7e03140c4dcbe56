import type { Pool } from '@limpet/core'
import type { Command } from './command.ts'

/**
 * Applies a command to the backend of a pool. A backend that the pool does not have, and that no
 * operator has added, is left out: it may be discovered later.
 * @param isNews the pool has yet to hear of it. Otherwise a drain that goes on or has ended is left alone.
 * @param nowMs by the clock of Redis
 * @throws OptionError for a command that the pool refuses.
 */
export function applyCommand(pool: Pool, command: Command, isNews: boolean, nowMs: number): void {
  const { id, state, weight, deadlineAtMs, spreadMs = 0, added, removed } = command
  if (removed === true) {
    pool.remove(id)
    return
  }
  // One that was removed and added with another url is another server.
  if (added !== undefined && pool.find(id)?.backend.url.href !== new URL(added.url).href) {
    pool.remove(id)
    pool.add({ ...added, id })
  }
  const view = pool.find(id)
  if (view === undefined) return
  if (weight !== undefined && view.weight !== weight) pool.setWeight(id, weight)
  if (state === undefined) return
  if (state !== 'drain' || deadlineAtMs === undefined) {
    if (view.state !== state) pool.setState(id, state)
    return
  }
  const leftMs = deadlineAtMs - nowMs
  if (leftMs + spreadMs <= 0) {
    if (view.state !== 'maint') pool.setState(id, 'maint')
  } else if (isNews || view.state === 'ready') {
    pool.drain(id, { deadline: Math.max(0, leftMs), spread: Math.min(spreadMs, leftMs + spreadMs) })
  }
}
