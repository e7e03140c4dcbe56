import { demo } from '@limpet-example/demo'
import { startGateway } from './gateway.ts'

await demo({
  title: 'an Express gateway before three scripted inference servers, each with a cache of prefixes',
  backend: new URL('backend.ts', import.meta.url),
  name: 'llm',
  signs: false,
  people: 'conversations',
  startGateway,
  lines({ url, pid }) {
    const client = `node examples/inference/client.ts ${url}/v1/chat/completions`
    return `  All turns of a conversation come to one server, and only the last question is new to it.
    ${client} zebra

  Without the conversation's id the turns scatter, and each server computes most of the prompt anew.
    ${client} yak --no-id

  Kill a server, here llm1: its conversations go on at another, which has to compute them once.
    kill -9 ${pid}
    ${client} zebra

  The figures of the README:
    node examples/inference/measure.ts
`
  },
})
