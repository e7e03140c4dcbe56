import { describe, expect, test } from 'vitest'
import { limpet } from '../support/limpet-command.ts'
import { LoadedModules } from '../support/loaded-modules.ts'

/** Modules that a command loads: each costs memory as long as a gateway runs, and time at its start. */

describe('limpet loads', () => {
  test.each(['--help', '--version', 'schema'])('for %s a few modules of its own', async argument => {
    const loaded = new LoadedModules()
    expect((await limpet([argument], loaded.environment)).code).toBe(0)
    expect([...loaded.byPackage.keys()]).toEqual(['gateway'])
    expect(loaded.byPackage.get('gateway')?.length).toBeLessThan(20)
  })
})
