import { OptionError } from '@limpet/core'
import { boolean, either, integer, needed, optionTable, table, text } from '@limpet/core/options'
import { address, FILE } from './file-kinds.ts'

/** The certificate of the gateway. */
const LISTEN_TLS_OPTIONS = optionTable({
  /** A file with the certificate and its chain, in PEM. */
  cert: needed(FILE),
  /** A file with its key, in PEM. */
  key: needed(FILE),
})

/** The address for clients. */
const LISTEN_OPTIONS = optionTable(
  {
    /** The address, or a name of it. @default 127.0.0.1 */
    host: text({ default: '127.0.0.1' }),
    /** The port. 0: any free one. */
    port: needed(integer({ min: 0, max: 65_535 })),
    /** The certificate for clients that connect by TLS. @default absent: none do */
    tls: table(LISTEN_TLS_OPTIONS),
    /** HTTP/2 beside HTTP/1.1. It needs `tls` and the adapter `fastify`. @default false */
    http2: boolean({ default: false }),
    /** A path that the gateway answers itself, for a load balancer in front: 200, or 503 while it ends and while no pool has a backend. @default absent: all paths go to the pools */
    health: text({ pattern: /^\/[!-"$->@-~]*$/, takes: 'a path that begins with /, without a query' }),
  },
  function* ({ http2, tls }, at) {
    if (http2 && tls === undefined) yield new OptionError(at('http2'), http2, '', 'needs listen.tls')
  },
)

/** The same as a text, `address:port`, or as an object. */
export const LISTEN = either({ plain: address('127.0.0.1:8080'), object: table(LISTEN_OPTIONS) })
