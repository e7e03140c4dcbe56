import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { Browser } from './browser.ts'

/** Does what a line for a shell says, and gives what is printed. */
export type Shell = (line: string) => Promise<string>

/** A real one, in a folder of its own, with the curl of this machine. */
export async function realShell(): Promise<Shell> {
  const folder = await mkdtemp(join(tmpdir(), 'limpet-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return async line => {
    const { stdout } = await promisify(execFile)('sh', ['-c', line], { cwd: folder })
    return stdout
  }
}

/** For machines without curl: knows kill, and of curl the options `-b jar -c jar` (together) and `-d`. */
export function ownShell(): Shell {
  const jars = new Map<string, Browser>()
  return async line => {
    const [command, ...words] = line.split(' ')
    if (command === 'kill') {
      const [signal = '', pid] = words
      process.kill(Number(pid), signal === '-9' ? 'SIGKILL' : signal.replace('-', 'SIG'))
      return ''
    }
    if (command !== 'curl') throw new Error(`no such command: ${line}`)
    const { jar, data, url } = curlOptions(words)
    const browser = (jar === undefined ? undefined : jars.get(jar)) ?? new Browser(Number(url.port))
    if (jar !== undefined) jars.set(jar, browser)
    const form = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }
    const path = url.pathname + url.search
    return (await browser.ask(data === undefined ? { path } : { path, ...form, body: data })).text
  }
}

interface CurlOptions {
  readonly jar: string | undefined
  readonly data: string | undefined
  readonly url: URL
}

function curlOptions(words: readonly string[]): CurlOptions {
  const options = new Map<string, string>()
  const plain: string[] = []
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (/^-[bcd]$/.test(word)) {
      index += 1
      options.set(word, words[index] ?? '')
    } else {
      plain.push(word)
    }
  }
  const [url = '', ...more] = plain
  const jar = options.get('-b')
  if (more.length > 0 || options.get('-c') !== jar) throw new Error(`not understood: curl ${words.join(' ')}`)
  return { jar, data: options.get('-d'), url: new URL(url) }
}
