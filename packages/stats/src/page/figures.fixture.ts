import { type BackendFigures, createAffinity, type PoolFigures } from '@limpet/core'

/** The figures of a pool `web` of new backends, at 14:32:10 UTC, with other facts of each. */
export function poolOf(backends: Readonly<Record<string, Partial<BackendFigures>>>): PoolFigures {
  const affinity = createAffinity({
    name: 'web',
    backends: Object.keys(backends).map(id => ({ id, url: `http://${id}.test:8080` })),
    affinity: [],
    now: () => Date.UTC(2030, 0, 1, 14, 32, 10),
  })
  const figures = affinity.stats()
  return { ...figures, backends: figures.backends.map(one => Object.assign(one, backends[one.id])) }
}

/** The figures of one backend `w1`. */
export function backendOf(facts: Partial<BackendFigures> = {}): BackendFigures {
  const [backend] = poolOf({ w1: facts }).backends
  if (backend === undefined) throw new Error('no backend')
  return backend
}
