import { CaddyGateway } from './caddy-gateway.ts'
import { CommandGateway } from './command-gateway.ts'
import type { StartGateway } from './drilled-gateway.ts'
import { HaproxyGateway } from './haproxy-gateway.ts'
import { type ActionRow, runKillTest } from './kill-test-run.ts'
import { NginxGateway } from './nginx-gateway.ts'
import { programPath } from './peer.ts'

/*
 * The same kill test against limpet, HAProxy, nginx and Caddy, where these are installed: `npm run kill-test`. It prints the
 * table that packages/gateway/KILL-TEST.md has.
 */

const GATEWAYS: readonly (readonly [name: string, program: string | undefined, start: StartGateway])[] = [
  ['limpet, cookie', undefined, async shops => CommandGateway.start('fastify', shops)],
  ['HAProxy, cookie', 'haproxy', async shops => HaproxyGateway.start(shops)],
  ['nginx, ip_hash', 'nginx', async shops => NginxGateway.start(shops)],
  ['Caddy, cookie', 'caddy', async shops => CaddyGateway.start(shops)],
]

const lines: string[] = []
for (const [name, program, start] of GATEWAYS) {
  if (program !== undefined && programPath(program) === undefined) {
    console.error(`${program} is not installed`)
    continue
  }
  console.error(`${name} …`)
  for (const row of await runKillTest(start, { sessions: 60, args: ['--rate', '200', '--settle', '5s'] }))
    lines.push(lineOf(name, row))
}
console.log(`| balancer | action | users on it | affected | errors | moved | users with loss | on other backends | well after | slowest |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}`)

function lineOf(name: string, row: ActionRow): string {
  const cells = [
    name,
    row.name,
    row.usersOnBackend,
    row.usersAffected,
    row.errors,
    row.usersMoved,
    row.usersWithLoss,
    row.usersWithLossElsewhere,
    row.recoveryMs === null ? 'not at all' : `${(row.recoveryMs / 1000).toFixed(1)} s`,
    `${row.slowestMs} ms`,
  ]
  return `| ${cells.join(' | ')} |`
}
