import { demo } from '@limpet-example/demo'
import { startGateway } from './gateway.ts'

await demo({
  title:
    'a Fastify gateway before three servers for Server-Sent Events, each with its events in its own memory',
  backend: new URL('backend.ts', import.meta.url),
  name: 'events',
  signs: true,
  people: 'visitors',
  startGateway,
  lines({ url, pid }) {
    return `  Open ${url}/, or listen here; Ctrl-C ends the stream.
    curl -b jar -c jar -d text=hello ${url}/events
    curl -N -b jar ${url}/events

  Send events while the stream is closed, and open it again: it begins with the events that were missed.
    curl -b jar -c jar -d text=missed ${url}/events
    curl -N -b jar -H 'Last-Event-ID: 1' ${url}/events

  Kill the server, here events1: the stream ends, comes back at another server, and its events are gone.
    kill -9 ${pid}
`
  },
})
