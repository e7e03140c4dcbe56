import type { ConfigSource } from '../config/config.ts'
import type { Changes } from '../reload/reload.ts'
import { type Refusal, ReloadRefused } from '../reload/reload-refused.ts'
import { SilentWorker, type WorkerLink } from './worker-link.ts'

/**
 * Reloads all workers or none, in two phases: each of them prepares the reload, which may fail, and then all commit it,
 * which cannot.
 * @param decided called when all are prepared, before the first of them is told to commit
 * @returns the changes; undefined without workers
 * @throws ReloadRefused when a worker cannot prepare it, ends, or does not reply within 5 s
 */
export async function reloadAll(
  links: readonly WorkerLink[],
  source: ConfigSource,
  decided: () => void,
): Promise<Changes | undefined> {
  const votes = await Promise.allSettled(links.map(async link => link.ask({ what: 'prepare', source })))
  const refusals = votes.flatMap((vote, index): Refusal[] =>
    vote.status === 'fulfilled'
      ? []
      : [{ worker: links[index]?.worker.id ?? 0, reason: (vote.reason as Error).message }],
  )
  if (refusals.length > 0) {
    // One that is late takes the order after its preparation.
    for (const link of links) link.tell({ what: 'abort' })
    throw new ReloadRefused(refusals)
  }
  decided()
  await Promise.all(links.map(commit))
  const [first] = votes
  return first?.status === 'fulfilled' ? (first.value as Changes) : undefined
}

/** A worker that is stopped finds the order when it runs again. Another that does not commit is replaced by one that has. */
async function commit(link: WorkerLink): Promise<void> {
  try {
    await link.ask({ what: 'commit' })
  } catch (error) {
    if (!(error instanceof SilentWorker)) link.kill()
  }
}
