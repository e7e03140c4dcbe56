import { demo } from '@limpet-example/demo'
import { startGateway } from './gateway.ts'

await demo({
  title: 'an Express gateway before three chat servers, each with its rooms in its own memory',
  backend: new URL('backend.ts', import.meta.url),
  name: 'chat',
  signs: false,
  people: 'guests',
  startGateway,
  lines({ url, pid }) {
    const listen = `node -e "new WebSocket('${url.replace('http', 'ws')}/rooms/lobby').onmessage = ({ data }) => console.log(data)"`
    return `  Open ${url}/rooms/lobby twice, once in a private window:
  without a cookie in common both come to the same server, and see what the other says.
  So does who only listens:
    ${listen}

  Other rooms are on other servers, such as ${url}/rooms/attic and
  ${url}/rooms/garden.

  Kill a server: everyone in its rooms comes back within a second, and all of them to the same next one.
    kill -9 ${pid}
`
  },
})
