import type { BackendOptions } from './backend.ts'
import { OptionError } from '../options/option.ts'
import type { Hold } from './backend-view.ts'
import { LivePool } from './live-pool.ts'

export function backend(id: string, more: Partial<BackendOptions> = {}): BackendOptions {
  return { id, url: `http://${id}.test:80`, ...more }
}

export function poolOf(...ids: string[]): LivePool {
  return new LivePool(
    'p',
    ids.map(id => backend(id)),
  )
}

export function hold(pool: LivePool, id: string): Hold {
  const view = pool.find(id)
  if (view === undefined) throw new Error(`no backend has the id ${id}`)
  return pool.hold(view)
}

export function optionOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof OptionError) return error.option
    throw error
  }
  return 'accepted'
}
