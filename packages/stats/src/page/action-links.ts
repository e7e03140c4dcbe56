import type { BackendFigures } from '@limpet/core'
import { ACTIONS, type ActionName, DEFAULT_DEADLINE } from './action.ts'
import { html, type Html } from './html.ts'
import type { ListView } from './list-view.ts'

/** The actions that would change something. */
export function actionLinks(pool: string, backend: BackendFigures, view: ListView): readonly Html[] {
  const { id, state, weight } = backend
  const values: Partial<Record<ActionName, string>> = { drain: DEFAULT_DEADLINE, weight: String(weight) }
  return ACTIONS.filter(name => name !== state).map(
    name =>
      html`<a
        class="action"
        id="do-${name}-${pool}-${id}"
        aria-label="${name} ${id}"
        href="${view.query({ do: name, pool, backend: id, value: values[name] })}"
        >${name}</a
      > `,
  )
}
