import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'

/** A Redis for the shops. */
export interface Redis {
  readonly url: string
  stop(): void
}

/**
 * Ends the server when the standard input closes, so it ends with this process, however this process ends. A terminal's
 * Ctrl-C reaches the shell too, and the shops still need the server then.
 */
const KEEPER = 'trap "" INT TERM HUP; "$@" & cat > /dev/null; kill -9 $!'

/**
 * The Redis of REDIS_URL, or one that is started for this process, on a socket in a folder of its own.
 * @throws an Error whose message is for the user
 */
export async function startRedis(): Promise<Redis> {
  const { REDIS_URL } = process.env
  if (REDIS_URL !== undefined) return { url: REDIS_URL, stop() {} }
  const program = redisProgram()
  if (program === undefined)
    throw new Error('no redis-server or valkey-server is on the PATH. Install one, or set REDIS_URL')
  const folder = mkdtempSync(join(tmpdir(), 'limpet-sessions-'))
  const socket = join(folder, 'redis.sock')
  const args = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'no']
  const shell = spawn('sh', ['-c', KEEPER, 'sh', program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })

  function stop(): void {
    shell.stdin.end()
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', stop)
  const lines: string[] = []
  for await (const line of createInterface(shell.stdout)) {
    lines.push(line)
    if (!/ready to accept connections/i.test(line)) continue
    // Nothing reads on, and it must not wait for a reader.
    shell.stdout.resume()
    return { url: `unix://${socket}`, stop }
  }
  throw new Error(`${program} did not start:\n${lines.join('\n')}`)
}

function redisProgram(): string | undefined {
  return ['redis-server', 'valkey-server']
    .flatMap(name => (process.env['PATH'] ?? '').split(delimiter).map(folder => join(folder, name)))
    .find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
