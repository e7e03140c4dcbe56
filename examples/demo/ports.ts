import { parseArgs } from 'node:util'

/** Which ports were asked for; 0 is any free one. */
export interface Ports {
  readonly gateway: number
  readonly backends: readonly number[]
}

/** From `--port`, PORT and a variable such as SHOP_PORTS. @throws an Error whose message is for the user */
export function portsFrom(args: readonly string[], env: NodeJS.ProcessEnv, variable: string): Ports {
  const { values } = parseArgs({ args: [...args], options: { port: { type: 'string' } } })
  const gateway = portIn('PORT', values.port ?? env['PORT'] ?? '8080')
  const backends = (env[variable] ?? '0,0,0').split(',').map(text => portIn(variable, text))
  if (backends.length !== 3) throw new Error(`${variable} takes three ports, as ${variable}=9001,9002,9003`)
  const fixed = [gateway, ...backends].filter(port => port !== 0)
  const twice = fixed.find((port, index) => fixed.indexOf(port) < index)
  if (twice !== undefined) throw new Error(`port ${twice} stands twice in PORT and ${variable}`)
  return { gateway, backends }
}

function portIn(name: string, text: string): number {
  const port = /^ *\d{1,5} *$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new Error(`${name} got "${text}"; it takes 0 to 65535, 0 for any free port`)
}

/**
 * The message for a port that is not available.
 * @param command the command that started this, for a terminal
 */
export function portTrouble(
  { gateway }: Ports,
  port: number,
  code: unknown,
  variable: string,
  command: string,
): string {
  const trouble = code === 'EACCES' ? 'needs more rights' : 'is taken'
  const another =
    port === gateway
      ? `PORT=8081 ${command}`
      : `${variable}=9001,9002,9003 ${command}; without ${variable}, free ones are taken`
  return `Port ${port} ${trouble}. Choose another: ${another}`
}
