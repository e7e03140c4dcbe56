import { demo } from '@limpet-example/demo'
import { startGateway } from './gateway.ts'

await demo({
  title: 'a Koa gateway before three servers for uploads, each with the parts of files in its own memory',
  backend: new URL('backend.ts', import.meta.url),
  name: 'upload',
  signs: true,
  people: 'clients',
  startGateway,
  lines({ url, pid }) {
    const client = `node examples/uploads/client.ts ${url}/uploads /tmp/file`
    return `  A file is sent in parts, which all come to one server. The line breaks in the third; the same line goes on.
    head -c 2000000 /dev/urandom > /tmp/file
    ${client} --break
    ${client}

  Without cookies the parts scatter, and no server has them all.
    ${client} --no-cookies

  Kill the server that has the parts, here upload1: they are gone with it, and the client starts again.
    ${client} --break
    kill -9 ${pid}
    ${client}
`
  },
})
