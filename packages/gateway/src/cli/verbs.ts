import { OPERATOR_VERBS, type OperatorVerb } from '../operator/verbs.ts'
import type { Terminal } from './terminal.ts'

/** Runs a verb. @param args the words after it @returns the exit code */
type RunVerb = (args: readonly string[], terminal: Terminal) => number | Promise<number>

/**
 * The verbs with flags of their own. The modules of a verb are loaded when it is run, so a gateway pays for none of
 * them.
 */
export const VERBS: ReadonlyMap<string, () => Promise<RunVerb>> = new Map<string, () => Promise<RunVerb>>([
  ['init', async () => (await import('./init.ts')).runInit],
  ['explain', async () => (await import('../explaining/command.ts')).runExplain],
  ['token', async () => (await import('../explaining/token-command.ts')).runToken],
  ['health', async () => (await import('../admin/health-command.ts')).runHealth],
  ['kill-test', async () => (await import('../kill-test/command.ts')).runKillTest],
  ['from', async () => (await import('../moving-in/command.ts')).runFrom],
  ...OPERATOR_VERBS.map(verb => [verb, async () => operator(verb)] as const),
])

async function operator(verb: OperatorVerb): Promise<RunVerb> {
  const { runOperator } = await import('../operator/command.ts')
  return async (args, terminal) => runOperator(verb, args, terminal)
}
