import { parseArgs } from 'node:util'
import { type Backends, startBackends } from '@limpet-example/demo/backends'
import type { Gateway } from '@limpet-example/demo/gateway'
import { Conversation, type Turn } from './conversation.ts'
import { type Balance, BY_CONVERSATION, startGateway } from './gateway.ts'

/*
 * node measure.ts [--conversations 30] [--turns 8] [--clients 12]
 *
 * The same conversations with each way to balance, on new servers each time; prints the table that the README has.
 */

const { values } = parseArgs({
  options: {
    conversations: { type: 'string', default: '30' },
    turns: { type: 'string', default: '8' },
    clients: { type: 'string', default: '12' },
  },
})
const conversations = Number(values.conversations)
const turns = Number(values.turns)
const clients = Number(values.clients)

const WAYS: readonly (readonly [name: string, balance: Balance])[] = [
  ['round-robin', 'round-robin'],
  ['hash of the conversation', { hash: 'header:X-Conversation-Id' }],
  ['the same, with `boundedLoad: 1.25`', BY_CONVERSATION],
]

console.log(`| balance | cached tokens | computed tokens of a turn | turns at the busiest server |
| --- | --- | --- | --- |`)
for (const [name, balance] of WAYS) console.log(rowOf(name, await measured(balance)))

async function measured(balance: Balance): Promise<readonly Turn[]> {
  let backends: Backends | undefined
  let gateway: Gateway | undefined
  try {
    backends = await startBackends(new URL('backend.ts', import.meta.url), 'llm', [0, 0, 0])
    gateway = await startGateway({ port: 0, backends: backends.members, balance })
    return await converse(`${gateway.url}/v1/chat/completions`)
  } finally {
    await gateway?.close()
    await backends?.stop()
  }
}

/** Some clients, each of which takes the next conversation that waits, says one thing, and puts it back. */
async function converse(url: string): Promise<readonly Turn[]> {
  const waiting = Array.from({ length: conversations }, (_, index) => ({
    conversation: new Conversation(url, `conversation-${index}`),
    left: turns,
  }))
  const done: Turn[] = []
  const random = randomNumbers()
  async function client(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      done.push(await next.conversation.say())
      next.left -= 1
      // Anywhere in the line: in a fixed order, servers that take turns would see the same conversations again.
      if (next.left > 0) waiting.splice(Math.floor(random() * (waiting.length + 1)), 0, next)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return done
}

/** The same numbers in each run: Park and Miller's generator. */
function randomNumbers(): () => number {
  let seed = 42
  return () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
}

function rowOf(name: string, all: readonly Turn[]): string {
  const total = (figure: (turn: Turn) => number): number => all.reduce((sum, turn) => sum + figure(turn), 0)
  const [cached, prompt] = [total(turn => turn.cachedTokens), total(turn => turn.promptTokens)]
  const computed = Math.round((prompt - cached) / all.length)
  const counts = Map.groupBy(all, ({ server }) => server).values()
  const busiest = Math.max(...[...counts].map(({ length }) => length))
  return `| ${name} | ${Math.round((cached / prompt) * 100)} % | ${computed} | ${busiest} of ${all.length} |`
}
