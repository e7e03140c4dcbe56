/*
 * `npm run test:steady -- 5`: `npm test` five times in a row, to find tests that fail by chance. `--burners 2` keeps two
 * processes busy beside it. Each run builds and checks from nothing. Prints for each run its duration, the number of
 * tests that passed, and the names of those that failed. Exits with 1 when a run failed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, stripVTControlCharacters } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** Lines of a failed check that are shown. */
const SHOWN_LINES = 20

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { burners: { type: 'string', default: '0' } },
})
const [runs, burners] = [Number(positionals[0] ?? 5), Number(values.burners)]
if (!(runs >= 1) || !(burners >= 0) || positionals.length > 1) {
  console.error('usage: npm run test:steady -- [RUNS] [--burners PROCESSES]')
  process.exit(2)
}

const burning = Array.from({ length: burners }, () =>
  spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
)
process.on('exit', () => {
  for (const child of burning) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

let failedRuns = 0
for (let number = 1; number <= runs; number += 1) {
  if (!(await runOnce(number))) failedRuns += 1
}
process.exit(failedRuns === 0 ? 0 : 1)

/** @returns whether it passed */
async function runOnce(number) {
  const cached = ['.turbo', 'packages/*/dist', '{packages/*,examples/*,test}/node_modules/.cache']
  for (const path of globSync(cached, { cwd: root })) rmSync(`${root}/${path}`, { recursive: true })
  const startedMs = performance.now()
  const child = spawn('npm', ['test'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', piece => (output += stripVTControlCharacters(piece)))
  const [code] = await once(child, 'close')
  const seconds = Math.round((performance.now() - startedMs) / 1000)
  const failed = new Set(Array.from(output.matchAll(/ FAIL {2}(.+)/g), ([, name]) => name.trim()))
  const passed = /Tests .*?(\d+) passed/.exec(output)?.[1] ?? 0
  console.log(`run ${number} of ${runs}: ${seconds} s, ${passed} tests passed, ${failed.size} failed`)
  for (const name of failed) console.log(`  ${name}`)
  if (code !== 0 && failed.size === 0) console.log(output.split('\n').slice(-SHOWN_LINES).join('\n'))
  return code === 0
}
