import { parseArgs } from 'node:util'
import { Conversation } from './conversation.ts'

/*
 * node client.ts http://127.0.0.1:8080/v1/chat/completions NAME [--turns 4] [--no-id]
 *
 * Has a conversation of some turns, and says for each how much of its prompt the server had cached. With --no-id the
 * requests do not carry the conversation's id, and so they take turns.
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { turns: { type: 'string', default: '4' }, 'no-id': { type: 'boolean' } },
})
const [url = 'http://127.0.0.1:8080/v1/chat/completions', name = 'one'] = positionals
const conversation = new Conversation(url, values['no-id'] === true ? undefined : name, name)

try {
  for (let turn = 1; turn <= Number(values.turns); turn += 1) {
    const { server, promptTokens, cachedTokens } = await conversation.say()
    console.log(`turn ${turn} at ${server}: ${cachedTokens} of ${promptTokens} tokens were cached`)
  }
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
