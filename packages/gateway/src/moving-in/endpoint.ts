/** An address of a backend as all of these servers write it. */
export interface Endpoint {
  readonly url: string
  /** The source of its id when it has no name. */
  readonly name: string
}

const MAX_LENGTH = 300

/**
 * Reads `host:port`, `[::1]:port`, `unix:/path`, or a host alone.
 * @param port of a text without one
 * @returns undefined for anything else: a range of ports, a placeholder, a path
 */
export function endpointIn(text: string, scheme: 'http' | 'https', port?: number): Endpoint | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const socket = /^unix[:/@]\/*(\/[^\s{}$?#%\\]+?):?$/.exec(text)?.[1]
  if (socket !== undefined) return checked(`unix:${socket}`, socket)
  const [, host = '', given] = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  const number = given === undefined ? port : Number(given)
  if (host === '' || number === undefined || number < 1 || number > 65_535) return undefined
  return checked(`${scheme}://${host}:${number}`, `${host.replaceAll('.', '_')}-${number}`)
}

function checked(url: string, name: string): Endpoint | undefined {
  if (!URL.canParse(url)) return undefined
  const { protocol, pathname } = new URL(url)
  return protocol !== 'unix:' && pathname !== '/' ? undefined : { url, name }
}

/** An address to listen on. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Reads `80`, `:80`, `*:80`, `127.0.0.1:80`, `[::]:80`, `name:80`. */
export function listenIn(text: string): ListenAddress | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const [, host = '', port = ''] = /^(?:(\*|\[[0-9A-Fa-f:.]+\]|[\w.-]*):)?(\d{1,5})$/.exec(text) ?? []
  if (port === '' || Number(port) < 1 || Number(port) > 65_535) return undefined
  const plain = host.replaceAll(/[[\]]/g, '')
  return { host: plain === '' || plain === '*' ? '0.0.0.0' : plain, port: Number(port) }
}

/** As the file has it on one line. */
export function listenText({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
