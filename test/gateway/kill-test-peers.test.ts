import { expect, test } from 'vitest'
import { CaddyGateway } from '../drill/caddy-gateway.ts'
import { CommandGateway } from '../drill/command-gateway.ts'
import type { StartGateway } from '../drill/drilled-gateway.ts'
import { HaproxyGateway } from '../drill/haproxy-gateway.ts'
import { runKillTest } from '../drill/kill-test-run.ts'
import { NginxGateway } from '../drill/nginx-gateway.ts'
import { programPath } from '../drill/peer.ts'

const LIMPET = process.execPath
const GATEWAYS: readonly (readonly [name: string, program: string, start: StartGateway])[] = [
  ['limpet', LIMPET, async shops => CommandGateway.start('koa', shops)],
  ['HAProxy', 'haproxy', async shops => HaproxyGateway.start(shops)],
  ['nginx', 'nginx', async shops => NginxGateway.start(shops)],
  ['Caddy', 'caddy', async shops => CaddyGateway.start(shops)],
]

/** limpet, and what else this machine has. */
const INSTALLED = GATEWAYS.filter(([, program]) => program === LIMPET || programPath(program) !== undefined)

test.each(INSTALLED)(
  '%s: a kill loses the state of the users of one backend, a drain loses none',
  async (_name, _program, start) => {
    const load = { sessions: 12, args: ['--rate', '100', '--settle', '500ms'] }
    const rows = await runKillTest(start, load)
    const [kill, restart] = rows
    expect(kill).toMatchObject({ name: 'kill w1', usersWithLossElsewhere: 0 })
    expect(kill?.usersWithLoss).toBe(kill?.usersOnBackend)
    expect(kill?.usersOnBackend).toBeGreaterThan(0)
    expect(restart?.name).toBe('restart w1')
    for (const drain of rows.filter(({ name }) => name === 'drain w2'))
      expect(drain).toMatchObject({ usersAffected: 0, usersMoved: 0 })
  },
  60_000,
)
