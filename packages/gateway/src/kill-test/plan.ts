import { type Action, ACTIONS, type Scenario } from './scenario.ts'
import type { Settings } from './settings.ts'

/** An action on a backend; without a command the operator does it. */
export interface PlannedAction {
  readonly action: Action
  /** Undefined: it is not known what backends there are. */
  readonly backend: string | undefined
  readonly command: string | undefined
}

/** Actions that an operator is asked to do when there are no hooks. */
const ASKED: readonly Action[] = ['kill', 'restart']

/**
 * The actions for each backend, one backend after the other.
 * @param seen names of backends that have answered
 */
export function plan(
  { hooks, backends }: Scenario,
  settings: Settings,
  seen: readonly string[],
): readonly (readonly PlannedAction[])[] {
  const all = { ...hooks, ...settings.hooks }
  const ask = isManual({ hooks, backends }, settings) && settings.ask.length === 0 ? ASKED : settings.ask
  const named = settings.backends.length > 0 ? settings.backends : [...backends.keys()]
  const names: readonly (string | undefined)[] =
    named.length > 0 ? named : seen.length > 0 ? seen.toSorted() : [undefined]
  return names.map(backend => {
    const own = (backend === undefined ? undefined : backends.get(backend)) ?? {}
    const commands = { ...all, ...own }
    return ACTIONS.filter(action => commands[action] !== undefined || ask.includes(action)).map(action => ({
      action,
      backend,
      command: commands[action],
    }))
  })
}

/** Whether an operator has to do everything. */
function isManual({ hooks, backends }: Pick<Scenario, 'hooks' | 'backends'>, settings: Settings): boolean {
  const all = [hooks, settings.hooks, ...backends.values()]
  return all.every(one => Object.keys(one).length === 0)
}
