import { parseArgs } from 'node:util'

/** Which ports were asked for; 0 is any free one. */
export interface Ports {
  readonly gateway: number
  readonly shops: readonly number[]
}

/** From `--port`, PORT and SHOP_PORTS. @throws an Error whose message is for the user */
export function portsFrom(args: readonly string[], env: NodeJS.ProcessEnv): Ports {
  const { values } = parseArgs({ args: [...args], options: { port: { type: 'string' } } })
  const gateway = portIn('PORT', values.port ?? env['PORT'] ?? '8080')
  const shops = (env['SHOP_PORTS'] ?? '0,0,0').split(',').map(text => portIn('SHOP_PORTS', text))
  if (shops.length !== 3) throw new Error('SHOP_PORTS takes three ports, as SHOP_PORTS=9001,9002,9003')
  const fixed = [gateway, ...shops].filter(port => port !== 0)
  const twice = fixed.find((port, index) => fixed.indexOf(port) < index)
  if (twice !== undefined) throw new Error(`port ${twice} stands twice in PORT and SHOP_PORTS`)
  return { gateway, shops }
}

function portIn(name: string, text: string): number {
  const port = /^ *\d{1,5} *$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new Error(`${name} got "${text}"; it takes 0 to 65535, 0 for any free port`)
}

/** What to tell whoever asked for a port that cannot be had. */
export function portTrouble({ gateway }: Ports, port: number, code: unknown): string {
  const trouble = code === 'EACCES' ? 'needs more rights' : 'is taken'
  const another =
    port === gateway
      ? 'PORT=8081 npm start, or npm start -- --port 8081'
      : 'SHOP_PORTS=9001,9002,9003 npm start; without SHOP_PORTS, free ones are taken'
  return `Port ${port} ${trouble}. Choose another: ${another}`
}
