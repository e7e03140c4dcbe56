import { demo } from '@limpet-example/demo'
import { startGateway } from './gateway.ts'

await demo({
  title:
    'a Fastify gateway before three Socket.IO servers, each with the notes of its visitors in its memory',
  backend: new URL('backend.ts', import.meta.url),
  name: 'notes',
  signs: true,
  people: 'visitors',
  startGateway,
  lines({ url, pid }) {
    return `  Open ${url}/, and add notes: the page begins with long polling, and changes to a WebSocket.
  Reload it: the notes are there. Or make the first request of a client here, and see the cookie.
    curl -i '${url}/socket.io/?EIO=4&transport=polling'

  Drain the first server: its visitors keep their notes. Once more, and it is ready again.
    kill -USR2 ${pid}

  Kill it: its visitors connect to another server, and their notes are gone.
    kill -9 ${pid}
`
  },
})
