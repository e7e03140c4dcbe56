import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runLine } from '../support/example-shell.ts'
import { ask } from '../support/http-client.ts'
import { runExample } from '../support/running-example.ts'

/** `examples/inference`: a server has computed the beginning of a conversation, and need not compute it again. */

const README = fileURLToPath(new URL('../../examples/inference/README.md', import.meta.url))

interface Turn {
  readonly server: string
  readonly cached: number
  readonly of: number
}

function turnsIn(output: string): readonly Turn[] {
  return [...output.matchAll(/^turn \d+ at (\w+): (\d+) of (\d+) tokens were cached$/gm)].map(
    ([, server = '', cached, of]) => ({ server, cached: Number(cached), of: Number(of) }),
  )
}

/** Tokens of the prompt that all conversations have in common. */
const SYSTEM_TOKENS = 200

test('conversations stay where they are cached, as the first page says', async () => {
  const running = await runExample('examples/inference/start.ts')
  const { example, port, lines } = running
  const [zebra, yak, kill, again, , ...more] = lines
  expect(more).toEqual([])

  const first = turnsIn(await runLine(zebra))
  const home = first[0]?.server ?? ''
  expect(first.map(({ server }) => server)).toEqual([home, home, home, home])
  // All but the new question is cached, from the second turn on.
  for (const [index, { cached }] of first.slice(1).entries())
    expect(cached).toBeGreaterThanOrEqual(first[index]?.of ?? Infinity)

  const scattered = turnsIn(await runLine(yak))
  expect(new Set(scattered.map(({ server }) => server)).size).toBe(3)
  expect(scattered[2]?.cached).toBeLessThanOrEqual(SYSTEM_TOKENS)

  await runLine(kill?.replace(/\d+$/, String(running.backend(home).pid)))
  await example.printed(`${home} was killed: its conversations move when they come back`)
  const moved = turnsIn(await runLine(again))
  const next = moved[0]?.server ?? ''
  expect(next).not.toBe(home)
  expect(moved.map(({ server }) => server)).toEqual([next, next, next, next])
  expect(moved[0]?.cached).toBeLessThanOrEqual(SYSTEM_TOKENS)
  expect(moved[1]?.cached).toBeGreaterThanOrEqual(moved[0]?.of ?? 0)

  const path = '/v1/chat/completions'
  const statuses = ['', 'null', '{"messages":[{"role":"cat","content":"x"}]}', ' '.repeat(1024 * 1024 + 1)]
  for (const [index, body] of statuses.entries())
    expect((await ask(port, { method: 'POST', path, body })).status).toBe(index === 3 ? 413 : 400)
  expect((await ask(port, { path })).status).toBe(404)
})

test('the measurement shows more cached tokens with the hash than in turns', async () => {
  const out = await runLine('node examples/inference/measure.ts --conversations 9 --turns 4 --clients 3')
  const rows = out
    .trimEnd()
    .split('\n')
    .map(row => row.split('|').map(cell => cell.trim()))
  const written = readFileSync(README, 'utf8').matchAll(/^\|(.*)\|$/gm)
  const names = [...written].map(([, row = '']) => row.split('|')[0]?.trim().replaceAll(/-+$/g, '---'))
  expect(rows.map(([, name]) => name)).toEqual(names)
  const [, , inTurns = 0, byHash = 0, bounded = 0] = rows.map(cells => Number.parseInt(cells[2] ?? '', 10))
  expect(byHash).toBeGreaterThan(inTurns)
  expect(bounded).toBeGreaterThan(inTurns)
  expect(rows.slice(2).map(cells => cells[4])).toEqual(
    rows.slice(2).map(() => expect.stringMatching(/ of 36$/)),
  )
})
