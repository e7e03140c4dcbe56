import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { LogOutput } from './log-output.ts'

/** A file that is written by its descriptor. */
function logFile() {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-log-'))
  const path = join(folder, 'log')
  const fd = openSync(path, 'w')
  onTestFinished(() => {
    closeSync(fd)
    rmSync(folder, { recursive: true })
  })
  return { fd, text: () => readFileSync(path, 'utf8') }
}

it('writes all lines in their order, whatever their size', async () => {
  const { fd, text } = logFile()
  const output = new LogOutput(fd, () => undefined)
  const lines = Array.from({ length: 500 }, (_, number) => `${number} ${'\u00e9'.repeat(number * 20)}\n`)
  let expected = ''
  for (const line of lines) {
    if (expected.length + line.length > 1_000_000) break
    expected += line
    output.write(line)
  }
  await output.flushed(60_000)
  expect(text()).toBe(expected)
  expect(output.dropped).toBe(0)
  await output.flushed(0)
})

it('drops and counts lines while there is no room, and tells when there is', async () => {
  const { fd, text } = logFile()
  const told: number[] = []
  const output = new LogOutput(fd, count => told.push(count))
  const line = `${'x'.repeat(1_023)}\n`
  // All in one turn of the event loop, in which nothing is written.
  for (let count = 0; count < 1_100; count += 1) output.write(line)
  output.write(`${line}${line}`)
  expect(output.dropped).toBeGreaterThan(0)
  expect(told).toEqual([])
  await output.flushed(60_000)
  expect(told).toEqual([output.dropped])
  expect(text().length / line.length + output.dropped).toBe(1_102)
})
